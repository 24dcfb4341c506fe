"""The deletion log: who took which mail away, with which program, when.

Written in the transaction that does it, so that log and mail never disagree: moving to 已删除, leaving it for good,
automatic emptying, and the way back from each. Subject, sender and Message-ID are copied, because the mail itself
will be gone. One event holds up to MAILS mails, so deleting 100,000 costs 2,000 rows.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Sequence

from core.access import Access
from logs_app.models import Kind
from logs_app.services import MAX_TEXT, NewEvent, record_many
from mailstore import sql

MAILS = 50
"""Mails of one event: what `logs_app` keeps of a list."""
_quoted = json.encoder.encode_basestring
"""Chinese as it is: an eighth less to write. No column holds a surrogate."""


class Deletion(enum.StrEnum):
    """What was done; `accounts.event_words` has a sentence for each."""

    TRASH = "trash"
    PURGE = "purge"
    EMPTY = "empty"
    POLICY = "policy"
    UNDO = "undo"
    RECOVER = "recover"
    RECALL = "recall"


def note(access: Access, action: Deletion, message_ids: Sequence[int]) -> None:
    """Record `action` on the mails in the caller's transaction; nothing for none. Two queries and a few inserts."""
    if not message_ids:
        return
    owner = access.mailbox
    query = f"SELECT id, address, domain_id FROM accounts_account WHERE id IN ({sql.marks([owner, access.actor])})"
    known = {row[0]: (row[1], row[2]) for row in sql.rows(query, [owner, access.actor])}
    mails = _mails(message_ids)
    record_many(_event(access, action, known, part) for part in sql.slices(mails, MAILS))


def _event(access: Access, action: Deletion, known: dict[int, tuple[str, int]], mails: list[str]) -> NewEvent:
    address, domain_id = known.get(access.mailbox, ("", None))
    actor = "" if access.actor == access.mailbox else known.get(access.actor, ("system", None))[0]
    return NewEvent(
        Kind.DELETION,
        domain_id=domain_id,
        account_id=access.mailbox,
        address=address,
        actor=actor,
        protocol=access.via.protocol,
        remote_address=access.via.remote_address,
        data={"action": action.value, "program": access.via.program, "count": len(mails)},
        listed=f'"mails": [{", ".join(mails)}]',
    )


def _mails(message_ids: Sequence[int]) -> Iterator[str]:
    """Each as JSON, every value within what the log keeps of one, so that it need not look at each: a dictionary and the
    encoder's walk through it cost three times as much."""
    query = (
        "SELECT subject, sender_name, sender_address, received_us, envelope FROM mailstore_message "
        f"WHERE {sql.among('id')} ORDER BY id"
    )
    for subject, name, address, received_us, envelope in sql.rows(query, [sql.numbers(message_ids)]):
        sender = f"{name} <{address}>" if name else address
        yield (
            f'{{"subject": {_quoted(subject[:MAX_TEXT])}, "from": {_quoted(sender[:MAX_TEXT])}, '
            f'"message_id": {_quoted(_message_id(envelope)[:MAX_TEXT])}, "received_s": {received_us // 1_000_000}}}'
        )


def _message_id(envelope: str) -> str:
    """The last field of an ENVELOPE (RFC 9051 7.5.2)."""
    begin = envelope.rfind('"<')
    found = envelope[begin + 1 : -2]
    return found if begin >= 0 and envelope.endswith('>")') and '"' not in found else ""
