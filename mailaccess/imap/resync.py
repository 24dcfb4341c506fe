"""Quick resynchronisation (RFC 7162 3.2.5): what a client that was away missed, right after SELECT."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from core.errors import ErrorKind, MailError
from mailaccess.imap.flags import state_of
from mailaccess.imap.grammar.sets import SequenceSet, ranges_of, written
from mailaccess.imap.view import View
from mailstore.selectors.folder_state import changed_rows, gone_after, uidvalidity_of

MAX_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Resync:
    """QRESYNC's parameters: the last known UIDVALIDITY and modseq, known UIDs, and pairs of numbers and UIDs."""

    uidvalidity: int
    modseq: int
    known: SequenceSet | None
    match: tuple[SequenceSet, SequenceSet] | None


def resynchronise(view: View, asked: Resync) -> bytes:
    """`VANISHED (EARLIER)` and FETCH lines; nothing when UIDVALIDITY differs (the client starts anew)."""
    if uidvalidity_of(view.folder_id) != asked.uidvalidity:
        return b""
    known = asked.known.resolved(view.uidnext - 1) if asked.known and view.uidnext > 1 else [(1, view.uidnext - 1)]
    gone = vanished(view, asked.modseq, known)
    lines = [f"* VANISHED (EARLIER) {written(gone)}\r\n".encode()] if gone else []
    for uid, flags, keywords, modseq in changed_rows(view.folder_id, asked.modseq, MAX_ROWS):
        number = view.number_of(uid)
        if number and _within(uid, known):
            lines.append(view.flags_line(number, uid, state_of(flags, keywords), modseq=modseq))
    return view.flag_names.announcement() + b"".join(lines)


def vanished(view: View, modseq: int, known: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """UIDs that left after `modseq`, of those the client knows. Older than what is remembered: all that aren't here
    (RFC 7162 3.2.5.2 allows to name more than left)."""
    try:
        gone = gone_after(view.folder_id, modseq)
    except MailError as error:
        if error.kind is not ErrorKind.UNAVAILABLE:
            raise
        return _missing(view, known)
    cut = [(max(first, low), min(last, high)) for first, last in gone for low, high in known]
    left = {uid for first, last in cut for uid in range(first, last + 1)}
    # What this session still counts leaves with a VANISHED of its own, which moves the numbers (RFC 7162 3.2.10.1).
    return ranges_of(sorted(left.difference(view.uids) if left else left))


def _missing(view: View, known: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found = []
    uids = view.uids
    for low, high in known:
        at = low
        for uid in uids[bisect_left(uids, low) : bisect_left(uids, min(high, view.uidnext - 1) + 1)]:
            if uid > at:
                found.append((at, uid - 1))
            at = uid + 1
        if at <= min(high, view.uidnext - 1):
            found.append((at, min(high, view.uidnext - 1)))
    return found


def _within(uid: int, ranges: list[tuple[int, int]]) -> bool:
    at = bisect_left(ranges, (uid + 1, 0)) - 1
    return at >= 0 and ranges[at][0] <= uid <= ranges[at][1]
