"""Learning from what people do: mail that they put into Junk is spam, mail that they take out of it is wanted.

Moving writes a row (`note_lesson`); a worker learns (`learn`). A row holds what is wanted and what was learnt, changed
together with the counts in one transaction, so a worker may die anywhere and a change of mind takes the first lesson
back. For each spam a wanted mail of the same mailbox is learnt too, one that was read and left in the inbox: people hardly
ever say what is not spam, and without both kinds words mean nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction
from django.db.models import F

from core.bulk import insert_rows
from core.errors import MailError
from core.jobs import wake_on_commit
from mailstore import blobs, sql
from mailstore.message import scan
from mailstore.models import Flag
from mailstore.steps import JunkMove
from mta.models import SpamLesson
from mta.spam.contents import Contents, contents_of
from mta.spam.finding import Rule, decode
from mta.spam.known import sender_names
from mta.spam.record import change_records
from mta.spam.senders import Author
from mta.spam.words import tokens_of

log = logging.getLogger(__name__)

Lesson = SpamLesson.Lesson
BATCH = 100
KEEP_DAYS = 90
"""A lesson can be taken back so long."""
COMPANION_LOOKED_AT = 30
LEARNT_MAX_BYTES = 4 << 20
"""Larger mails teach by their sender alone."""


def note_lesson(move: JunkMove) -> None:
    """The `mailstore.steps.AfterMove`: in the transaction of the move."""
    want(move.mailbox, move.message_ids, Lesson.SPAM if move.is_junk else Lesson.HAM)


def want(mailbox: int, message_ids: Sequence[int], lesson: str) -> None:
    """Say what these messages are, in the caller's transaction; the last word counts."""
    at_us = time.time_ns() // 1000
    tail = "ON CONFLICT (message_id) DO UPDATE SET wanted = excluded.wanted, at_us = excluded.at_us"
    rows = [(message_id, mailbox, lesson, "", at_us) for message_id in sorted(message_ids)]
    insert_rows("mta_spamlesson", "message_id, mailbox_id, wanted, learnt, at_us", rows, tail)
    wake_on_commit("mta.learn_spam")


def learn() -> int:
    """Learn what waits; how many mails."""
    done = 0
    while found := list(
        SpamLesson.objects.exclude(wanted=F("learnt")).order_by("at_us").values_list("message_id", flat=True)[:BATCH]
    ):
        for message_id in found:
            try:
                _learn(message_id)
            except DatabaseError:
                raise  # the next round tries again
            except Exception:  # a mail that can't be read teaches nothing, and keeps no other from teaching
                log.exception("a lesson is given up", extra={"message_id": message_id})
                SpamLesson.objects.filter(pk=message_id).update(learnt=F("wanted"))
        done += len(found)
    return done


class _Mail(NamedTuple):
    """A message to learn from."""

    domain_id: int
    mailbox: int
    author: Author
    proven: bool
    tokens: list[str]


def _learn(message_id: int) -> None:
    """One lesson, in one transaction; for spam a companion that is wanted mail."""
    mail = _mail(message_id)
    with transaction.atomic():
        row = SpamLesson.objects.select_for_update().filter(pk=message_id).first()
        if row is None or row.wanted == row.learnt:
            return
        if mail is not None:
            _count(mail, row.learnt, -1)
            _count(mail, row.wanted, 1)
            _record(mail, row.learnt, row.wanted)
        row.learnt = row.wanted
        row.save(update_fields=["learnt"])
        if mail is not None and row.wanted == Lesson.SPAM:
            _want_companion(mail.mailbox)


def _mail(message_id: int) -> _Mail | None:
    """None for one that is gone meanwhile."""
    row = sql.row(
        "SELECT m.mailbox_id, m.sender_name, m.sender_address, m.judgement, a.domain_id, b.codec, b.data, b.key, b.size "
        "FROM mailstore_message m JOIN accounts_account a ON a.id = m.mailbox_id JOIN mailstore_blob b ON b.id = m.blob_id "
        "WHERE m.id = %s",
        [message_id],
    )
    if row is None:
        return None
    mailbox, name, address, judgement, domain_id, *blob = row
    author = Author(name, address)
    contents = _contents(blob)
    tokens = tokens_of(contents, address) if contents is not None else []
    return _Mail(domain_id, mailbox, author, decode(judgement or "").has(Rule.PROVEN), tokens)


def _contents(blob: Sequence[Any]) -> Contents | None:
    if blob[3] > LEARNT_MAX_BYTES:
        return None
    try:
        raw = blobs.decode(*blob)
    except MailError:
        return None
    return contents_of(raw, scan(raw))


def _count(mail: _Mail, lesson: str, step: int) -> None:
    """Words, for the company and for the person."""
    if not lesson:
        return
    for account_id in (0, mail.mailbox):
        spam, ham = (step, 0) if lesson == Lesson.SPAM else (0, step)
        _add("mta_spamcorpus", "domain_id, account_id", [(mail.domain_id, account_id)], spam, ham)
        tokens = [(mail.domain_id, account_id, token) for token in sorted(mail.tokens)]
        _add("mta_spamtoken", "domain_id, account_id, token", tokens, spam, ham)


def _add(table: str, key: str, rows: Sequence[tuple[object, ...]], spam: int, ham: int) -> None:
    """Add to both counts; they never fall below zero (old ones were halved meanwhile)."""
    changes = ", ".join(
        f"{name} = CASE WHEN {table}.{name} + {step} > 0 THEN {table}.{name} + {step} ELSE 0 END"
        for name, step in (("spam", spam), ("ham", ham))
    )
    values = [(*row, max(0, spam), max(0, ham)) for row in rows]
    insert_rows(table, f"{key}, spam, ham", values, f"ON CONFLICT ({key}) DO UPDATE SET {changes}")


def _record(mail: _Mail, learnt: str, wanted: str) -> None:
    """The sender's record."""
    if not mail.author.domain:
        return
    columns = {str(Lesson.SPAM): "reported", str(Lesson.HAM): "cleared"}
    change: dict[str, int] = {}
    for lesson, step in ((learnt, -1), (wanted, 1)):
        if lesson in columns:
            change[columns[lesson]] = change.get(columns[lesson], 0) + step
    names = sender_names(mail.author, proven=mail.proven)
    change_records({(mail.domain_id, name): change for name in names})


def _want_companion(mailbox: int) -> None:
    """The newest mail in the inbox that was read and has taught nothing yet."""
    query = (
        "SELECT e.message_id, e.flags FROM mailstore_folder f CROSS JOIN mailstore_entry e "
        "WHERE f.mailbox_id = %s AND f.role = 'inbox' AND e.folder_id = f.id ORDER BY e.sort_us DESC LIMIT %s"
    )
    read = [row[0] for row in sql.rows(query, [mailbox, COMPANION_LOOKED_AT]) if row[1] & Flag.SEEN]
    known = set(SpamLesson.objects.filter(pk__in=read).values_list("pk", flat=True))
    fresh = [message_id for message_id in read if message_id not in known]
    if fresh:
        want(mailbox, fresh[:1], Lesson.COMPANION)
