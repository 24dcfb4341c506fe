"""Reports of failure in words, as servers of the world write them, and what must not pass for one."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mta.bounce_texts import told_in_words

QMAIL = """From: MAILER-DAEMON@far.example
To: verp=x@example.test
Subject: failure notice

Hi. This is the qmail-send program at far.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<x@far.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <verp=x@example.test>
Subject: Your mailbox is full of 5.2.2 spam
"""
EXCHANGE = """From: "Microsoft Outlook" <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@far.example>
Subject: Undeliverable: offer
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<html><body><p><b>Delivery has failed to these recipients or groups:</b></p>
<p>x@far.example<br>The e-mail address you entered couldn't be found.</p>
<p>Diagnostic information for administrators:</p><p>Generating server: mx1.far.example 10.5.1.20</p>
<p>#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##</p></body></html>
"""
QQ = """From: PostMaster@qq.com
Subject: =?utf-8?b?57O757uf6YCA5L+h?=
Content-Type: text/html; charset=gbk

<p>抱歉，您的邮件被退回来了……</p><p>原邮件信息：</p><p>退信原因：收件人邮件地址（x@qq.com）不存在，邮件无法送达。</p>
<p>host mx3.qq.com said: 550 Mailbox unavailable or access denied</p>
"""
NETEASE = """From: Postmaster@163.com
Subject: =?gbk?b?z7XNs83L0MU=?=
Content-Type: text/plain; charset=gbk

您发给 x@163.com 的邮件无法送达。
退信原因：对方邮箱已满，无法接收邮件。
"""
EXIM = """From: Mail Delivery System <Mailer-Daemon@far.example>
X-Failed-Recipients: x@far.example
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered to one or more of its recipients.

  x@far.example
    SMTP error from remote mail server after RCPT TO:<x@far.example>:
    host mx.far.example [192.0.2.5]: 550 user unknown

------ This is a copy of the message, including all the headers. ------

Subject: offer
"""
SENDMAIL = """From: Mail Delivery Subsystem <MAILER-DAEMON@far.example>
Subject: Returned mail: see transcript for details

   ----- The following addresses had permanent fatal errors -----
<x@far.example>
    (reason: 552 message size exceeds limit)
"""
VAGUE = """From: postmaster@far.example
Subject: =?utf-8?b?5oqV6YCS5aSx6LSl?=

Your mail could not be delivered.
"""

NO_DOMAIN = NETEASE.replace("对方邮箱已满，无法接收邮件", "收件人地址的域名不存在")
NO_HOST = SENDMAIL.replace("552 message size exceeds limit", "recipient address rejected: domain not found")

FAILURES = {
    "qmail": (QMAIL, "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)"),
    "exchange": (EXCHANGE, "5.1.1", "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##"),
    "qq": (QQ, "5.1.1", "host mx3.qq.com said: 550 Mailbox unavailable or access denied"),
    "163": (NETEASE, "5.2.2", "退信原因：对方邮箱已满，无法接收邮件。"),
    "exim": (EXIM, "5.1.1", "host mx.far.example [192.0.2.5]: 550 user unknown"),
    "sendmail": (SENDMAIL, "5.3.4", "(reason: 552 message size exceeds limit)"),
    "no such domain, in Chinese": (NO_DOMAIN, "5.1.2", "退信原因：收件人地址的域名不存在。"),
    "no such domain": (NO_HOST, "5.1.2", "(reason: recipient address rejected: domain not found)"),
    "vague": (VAGUE, "5.0.0", "Your mail could not be delivered."),
}


def raw(text: str) -> bytes:
    """As it comes over the wire."""
    charset = "gbk" if "charset=gbk" in text else "utf-8"
    return text.replace("\n", "\r\n").encode(charset)


@pytest.mark.parametrize("name", FAILURES)
def test_what_the_world_writes_is_understood(name: str) -> None:
    text, code, said = FAILURES[name]
    found = told_in_words(raw(text))
    assert found is not None
    assert (found.action, found.code, found.text) == ("failed", code, said)


NO_FAILURES = {
    "an answer": "From: x@far.example\nSubject: away\n\nI have left. This mailbox does not exist any more. 5.1.1\n",
    "an answer of a daemon": QMAIL.replace("Subject: failure notice", "Auto-Submitted: auto-replied\nSubject: failure notice"),
    "not yet": QMAIL.replace("Subject: failure notice", "Subject: Delivery status notification (Delay)"),
    "not yet, in Chinese": NETEASE.replace("=?gbk?b?z7XNs83L0MU=?=", "=?utf-8?b?6YCA5L+h5bu26L+f6YCa55+l?="),
    "a person's subject": QMAIL.replace("MAILER-DAEMON@", "li@"),
    "a daemon's other mail": QMAIL.replace("failure notice", "Welcome"),
    "a complaint": QMAIL.replace("Subject:", "Content-Type: multipart/report; report-type=feedback-report; boundary=b\nSubject:"),
    "a list's": QMAIL.replace("Subject: failure", "List-Id: <a.example>\nSubject: failure"),
    "only the quoted mail says so": QMAIL[: QMAIL.index("Hi.")] + "Hello.\n\n" + QMAIL[QMAIL.index("--- Below") :],
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("name", NO_FAILURES)
def test_anything_else_is_no_failure(name: str) -> None:
    assert told_in_words(raw(NO_FAILURES[name])) is None


@given(st.binary(max_size=2_000))
def test_it_never_raises(data: bytes) -> None:
    told_in_words(b"X-Failed-Recipients: a\r\n" + data)
