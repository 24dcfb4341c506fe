"""{{姓名}}: every recipient's own name in his own copy, and nothing else touched."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.errors import ErrorKind, MailError
from mailstore.message import read
from mta.merging import merged, names_recipients
from mta.models import Submission
from mta.outbound import worker
from mta.services import SubmitRequest, submit
from tests.mta.sink import Sink, remote
from tests.mta.test_submit import mails


def letter(subject: str = "给{{姓名}}的报价", *, with_file: bool = False, cte: str | None = None) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["Message-ID"] = "<m@example.test>"
    message["From"] = "alice@example.test"
    message["To"] = "=?utf-8?b?5p2O5Zub?= <x@far.example>, Tom & Jerry <y@far.example>"
    message["Subject"] = subject
    message.set_content("{{ name }}您好，\r\n{{姓名}}\r\n", cte=cte)
    message.add_alternative("<p>{{姓名}}您好，{{称谓}}</p>", subtype="html", cte=cte)
    if with_file:
        message.add_attachment("{{姓名}}\r\n", filename="template.txt")
    return bytes(message)


def told(raw: bytes) -> tuple[str, str, str]:
    """Subject, text, HTML as another program reads them."""
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    plain, rich = (parsed.get_body((kind,)) for kind in ("plain", "html"))
    texts = [each.get_content().replace("\r\n", "\n") if each else "" for each in (plain, rich)]
    return parsed["subject"], texts[0], texts[1]


@pytest.mark.parametrize("cte", ["8bit", "base64", "quoted-printable"])
def test_subject_and_both_texts_say_the_name(cte: str) -> None:
    subject, plain, rich = told(merged(letter(cte=cte), "李四"))
    assert subject == "给李四的报价"
    assert plain == "李四您好，\n李四\n"
    assert rich.strip() == "<p>李四您好，{{称谓}}</p>"


def test_a_name_is_text_wherever_it_stands() -> None:
    hostile = "<b>Tom</b>\r\nBcc: x@y.test {{姓名}} \\1"
    subject, plain, rich = told(merged(letter(), hostile))
    clean = "<b>Tom</b> Bcc: x@y.test {{姓名}} \\1"
    assert subject == f"给{clean}的报价"
    assert plain.startswith(f"{clean}您好")
    assert "<p>&lt;b&gt;Tom&lt;/b&gt; Bcc" in rich


def test_what_is_not_read_as_the_mails_text_stays() -> None:
    raw = letter(with_file=True)
    made = merged(raw, "李四")
    assert made != raw
    [file] = [part for part in email.message_from_bytes(made).walk() if part.get_filename()]
    assert "{{姓名}}".encode() in bytes(file.get_payload(decode=True))
    forwarded = EmailMessage(policy=email.policy.SMTP)
    forwarded["Subject"] = "x"
    forwarded.set_content("see below")
    forwarded.add_attachment(email.message_from_bytes(raw, policy=email.policy.SMTP))
    signed = letter("plain").replace(b"multipart/alternative", b"multipart/signed")
    for each in (
        bytes(forwarded),
        signed,
        letter("plain").replace("姓名".encode(), b"nick")[:200] + b"\r\n\r\nno {{other}}\r\n",
    ):
        assert merged(each, "李四") == each
        assert not names_recipients(each)


def test_a_mail_of_one_part() -> None:
    raw = b"Subject: {{name}}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear {{name}},\r\n"
    for each in (raw, raw.replace(b"utf-8", b'"US-ASCII"')):
        made = merged(each, "Zoë")
        assert told(made)[:2] == ("Zoë", "Dear Zoë,\n")
        assert merged(each, "Zoë") == made


@pytest.mark.django_db(transaction=True)
def test_each_copy_says_its_own_name_and_the_authors_is_the_template(
    alice: Account, bob: Account, settings: Any
) -> None:
    Account.objects.filter(pk=bob.pk).update(name="王芳")
    sink, raw = Sink(), letter()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        recipients = ("x@far.example", "y@far.example", bob.address)
        submit(
            access_for(alice, alice.pk),
            SubmitRequest(alice.address, recipients, raw, individual=True),
        )
        worker.send_due()
    got = {taken.recipients[0]: told(taken.content) for taken in sink.taken}
    got[bob.address] = told(mails(bob, "inbox")[0])
    assert {address: subject for address, (subject, _, _) in got.items()} == {
        "x@far.example": "给李四的报价",
        "y@far.example": "给Tom & Jerry的报价",
        bob.address: "给王芳的报价",
    }
    assert "<p>Tom &amp; Jerry您好" in got["y@far.example"][2]
    assert mails(alice, "sent") == [raw]
    assert read(mails(bob, "inbox")[0]).to[0].address == bob.address


@pytest.mark.django_db
def test_who_has_no_name_keeps_the_mail_from_going_out_without_one(alice: Account) -> None:
    access = access_for(alice, alice.pk)
    request = SubmitRequest(alice.address, ("x@far.example", "z@far.example"), letter(), individual=True)
    with pytest.raises(MailError) as caught:
        submit(access, request)
    assert (caught.value.kind, caught.value.data["field"]) == (ErrorKind.INVALID, "merging")
    assert caught.value.data["address"] == "z@far.example"
    assert not Submission.objects.exists()
    together = SubmitRequest(alice.address, ("x@far.example", "z@far.example"), letter())
    assert submit(access, together), "a mail to all together is nobody's template"
