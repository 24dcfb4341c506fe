"""Delivery status notifications."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default

import pytest

from mailstore.message import (
    Address,
    Attribute,
    DeliveryReport,
    Outgoing,
    RecipientStatus,
    build_dsn,
    compose,
    read,
    scan,
)

AT = datetime(2026, 10, 13, 9, 15, 2, tzinfo=UTC)
ORIGINAL = compose(Outgoing(Address("王伟", "alice@example.test"), subject="你好", text="secret", message_id="m1@x"))


def report(**changed: object) -> bytes:
    values: dict[str, object] = {
        "from_": Address("Mail Delivery", "mailer-daemon@example.test"),
        "to": "alice@example.test",
        "subject": "退信：你好",
        "text": "收件人不存在。",
        "reporting_mta": "mx.example.test",
        "recipients": [
            RecipientStatus(
                "bob@x.test", "failed", "5.1.1", "550 5.1.1 no such\r\nuser: 无", "mx.x.test", last_attempt=AT
            ),
            RecipientStatus("carol@y.test", "delayed", "4.4.1", will_retry_until=AT),
        ],
        "original": ORIGINAL,
        "arrival_date": AT,
        **changed,
    }
    return build_dsn(DeliveryReport(**values))  # type: ignore[arg-type]


def test_a_report_has_the_three_parts_of_rfc_3462() -> None:
    message = message_from_bytes(report(), policy=default)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert isinstance(message, EmailMessage)
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    assert message["auto-submitted"] == "auto-replied"
    assert message["references"] == "<m1@x>"


def groups_of(raw: bytes) -> list[Message]:
    """The groups of fields of the second part."""
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    groups = list(message.iter_parts())[1].get_payload()
    assert isinstance(groups, list)
    return [group for group in groups if isinstance(group, Message)]


def test_each_recipient_has_a_group_of_fields() -> None:
    assert [dict(group.items()) for group in groups_of(report())] == [
        {"Reporting-MTA": "dns; mx.example.test", "Arrival-Date": "Tue, 13 Oct 2026 09:15:02 +0000"},
        {
            "Final-Recipient": "rfc822; bob@x.test",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.x.test",
            "Diagnostic-Code": "smtp; 550 5.1.1 no such user: \\x{65E0}",
            "Last-Attempt-Date": "Tue, 13 Oct 2026 09:15:02 +0000",
        },
        {
            "Final-Recipient": "rfc822; carol@y.test",
            "Action": "delayed",
            "Status": "4.4.1",
            "Will-Retry-Until": "Tue, 13 Oct 2026 09:15:02 +0000",
        },
    ]


def test_only_the_header_comes_back_unless_all_is_wanted() -> None:
    assert b"secret" not in report()
    whole = report(whole_original=True)
    assert b"secret" in whole
    assert [p.content_type for p in read(whole).attachments] == ["message/delivery-status", "message/rfc822"]


def test_people_read_the_text_in_their_language() -> None:
    found = read(report())
    assert (found.subject, found.text) == ("退信：你好", "收件人不存在。\n")
    assert scan(report()).attributes & Attribute.AUTO_SUBMITTED


@pytest.mark.parametrize(
    "original", [b"", b"\0\xff\r\n\r\n", "Subject: 你好\r\n\r\n八位".encode(), b"no header", b"\r\n" * 5]
)
def test_any_original_can_be_reported_on(original: bytes) -> None:
    for whole in (False, True):
        raw = report(original=original, whole_original=whole)
        assert read(raw).text == "收件人不存在。\n"
        assert raw.isascii()


def test_what_a_server_says_can_not_add_a_field() -> None:
    status = [RecipientStatus("bob@x.test", "failed", "5.0.0", "550 x\r\n\r\nFinal-Recipient: rfc822; evil@x.test")]
    assert len(groups_of(report(recipients=status))) == 2
