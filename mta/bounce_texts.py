"""Reports of failure that are written for people alone: qmail's, old Exchange's, those of QQ, 163 and others (no RFC 3464).

Whose delivery such a mail is about its address says (`mta.returns`), so that all there is to decide is whether it says
"failed". An automatic answer (RFC 3834), a receipt, a complaint or "not yet" must not pass for that: the mail must look
like a machine's report, and its own words, not those of the mail it quotes, must say that it is final. No I/O.
"""

from __future__ import annotations

import re

from documents.html.text import html_to_text
from mailstore.message import read
from mailstore.message.read import Readable
from mailstore.message.report import Reported

READ_MAX_BYTES = 128 * 1024
TEXT_MAX = 8_192
LINE_MAX = 500
FAILED = "5.0.0"

_DAEMONS = re.compile(r"(?i)^(?:mailer-?daemon|mail-?daemon|mdaemon|postmaster|microsoftexchange[0-9a-f]{32})$")
_SUBJECTS = re.compile(
    r"(?i)failure notice|undeliver|delivery (?:status notification|has failed|fail)|returned mail|mail delivery (?:failed|failure)"
    r"|mail system error|nondeliverable|could not be delivered|message not delivered"
    r"|退信|系统退信|退回|无法投递|未能?送达|无法送达|投递失败|发送失败|郵件傳送失敗|無法傳遞|無法投遞"
)
_NOT_YET = re.compile(
    r"(?i)\bdelay(?:ed)?\b|\bwarning\b|still (?:being )?tr(?:ied|ying)|延迟|暂时|稍后重试|延遲|\(delay\)"
)
_TYPES = re.compile(r"(?i)report-type\s*=\s*\"?(?:feedback-report|disposition-notification)")
_QUOTED = re.compile(
    r"(?im)^.{0,20}(?:below this line is a copy of the message|this is a copy of (?:the|your) message|original message"
    r"|message header(?:s)? follow|unsent message below|原(?:始)?(?:邮件|信)(?:内容|正文|如下)|以下是您(?:的|发送的)(?:邮件|信件)).*$"
)
_CODE = re.compile(r"(?<![\d.])(5\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_REPLY = re.compile(r"(?<![\d.:/-])55\d(?![\d.:/-])")
_MEANINGS = (
    ("5.1.2", r"host (?:or domain name )?not found|domain (?:not found|does not exist)|couldn.t find any host|域名?.{0,8}不存在|找不到.{0,6}域"),
    (
        "5.1.1",
        r"user unknown|unknown user|no such (?:user|mailbox|recipient|address)|(?:user|mailbox|recipient|address|account)\b.{0,40}"
        r"\b(?:not found|doesn.t exist|does not exist|unavailable|not exist)|recipnotfound|invalid recipient|no mailbox here"
        r"|(?:收件人|帐号|账号|帐户|账户|邮箱|用户|地址).{0,20}不存在|不存在.{0,10}(?:收件人|帐号|账号|用户)|查无此人|无此用户|找不到.{0,8}(?:收件人|用户|邮箱)|不存在此",
    ),
    ("5.2.2", r"over ?quota|quota exceeded|(?:mailbox|storage) (?:is )?full|邮箱.{0,6}(?:已满|满了|空间不足)|容量已?满|空间不足"),
    ("5.2.1", r"(?:mailbox|account|user).{0,20}(?:disabled|suspended|inactive)|(?:帐号|账号|邮箱|用户).{0,8}(?:停用|冻结|禁用|锁定)"),
    ("5.3.4", r"message (?:size )?(?:is )?too (?:large|big)|size exceeds|exceeds.{0,20}size|邮件过大|超过.{0,10}大小"),
    ("5.7.1", r"\bspam\b|blacklist|blocked|access denied|policy|not authorized|refused|rejected|拒收|拒绝|垃圾邮件|黑名单|被拒"),
    (FAILED, r"permanent(?:ly)? (?:fatal )?(?:error|failure)|i.ve given up|giving up|could not be delivered|couldn.t be delivered"
     r"|wasn.t able to deliver|无法投递|未能?送达|无法送达|投递失败|退回"),
)  # fmt: skip
_KNOWN = [(code, re.compile(f"(?i){words}")) for code, words in _MEANINGS]


def told_in_words(raw: bytes) -> Reported | None:
    """The failure that such a mail tells of; None for any other mail. Never raises on bad input."""
    mail = read(raw[:READ_MAX_BYTES])
    fields = {name.lower(): value for name, value in reversed(mail.headers)}
    if not _is_report(mail, fields):
        return None
    text = _own_words(mail)
    failed = fields.get("x-failed-recipients", "")
    found = _meaning(text)
    if found is None:
        return Reported(failed, "failed", FAILED, mail.subject[:LINE_MAX]) if failed else None
    return Reported(failed, "failed", *found)


def _is_report(mail: Readable, fields: dict[str, str]) -> bool:
    """Whether it comes of a machine that carries mail, to say that something is over."""
    if _TYPES.search(fields.get("content-type", "")) or "list-id" in fields or _NOT_YET.search(mail.subject):
        return False
    if "x-failed-recipients" in fields:  # Exim, which calls its reports auto-replied, and Google
        return True
    if fields.get("auto-submitted", "").lower().startswith("auto-replied"):
        return False
    author = mail.from_[0].address.partition("@")[0] if mail.from_ else ""
    return bool(_DAEMONS.match(author) and _SUBJECTS.search(mail.subject))


def _own_words(mail: Readable) -> str:
    text = mail.text if (mail.text or "").strip() else html_to_text(mail.html or "")
    text = (text or "")[: 4 * TEXT_MAX]
    quoted = _QUOTED.search(text)
    return text[: quoted.start() if quoted else None][:TEXT_MAX]


def _meaning(text: str) -> tuple[str, str] | None:
    """The code and the line that says it: the server's own code where there is one, else what the words mean."""
    lines = [" ".join(line.split())[:LINE_MAX] for line in text.splitlines()]
    for pattern in (_CODE, _REPLY):
        for line in lines:
            if (code := pattern.search(line)) is not None:
                return (code[1] if pattern is _CODE else _by_words(line) or _by_words(text) or FAILED), line
    meant = _by_words(text)
    return next(((meant, line) for line in lines if _by_words(line) == meant), None) if meant else None


def _by_words(text: str) -> str | None:
    return next((code for code, words in _KNOWN if words.search(text)), None)
