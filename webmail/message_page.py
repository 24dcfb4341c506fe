"""What the reading pane's template needs: the opened mail, or the mails of a conversation stacked, and what may be done.

A stack holds rows (mails that are folded to a line) and letters (mails that are unfolded), oldest first.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.access import Access, Right
from mailstore.message import read
from mailstore.models import Flag, Role
from mailstore.selectors import entries
from mailstore.selectors.conversations import ConversationRow
from mailstore.selectors.entries import EntryRow
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.list_marked import marks_of
from mailstore.selectors.lists import ListRow
from mta.inbound.filing import Verdict
from mta.selectors import held_drafts, status_of_entry
from mta.services.openings import is_recallable, note_opened
from webmail import drafting, images, reading, watching, ways
from webmail.around import around, around_conversation
from webmail.authenticity import Authenticity, authenticity
from webmail.delivery_words import held_words
from webmail.http import actor_of, folder_of, folders_of
from webmail.judgement import Reasons, reasons_of
from webmail.labels import carried, labels_of
from webmail.listing import tools
from webmail.naming import Names
from webmail.people import Face

MAX_THREAD = 100
"""Rows of a conversation on the page; a longer one is cut at its far ends."""
MAX_RUN = 4
"""Folded mails in a row that are all shown."""
MAX_UNFOLDED = 10
"""Unread mails of a conversation that are unfolded at once; the others unfold by a click."""


@dataclasses.dataclass(frozen=True, slots=True)
class ThreadRow:
    """A mail of the conversation that is folded."""

    id: str
    url: str
    face: Face
    preview: str
    date: str
    iso: str
    is_seen: bool
    is_draft: bool
    state: str
    """How far a mail is that lies among the drafts and has been sent."""


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is unfolded."""

    id: str
    url: str
    role: str
    size: int
    opened: reading.Opened
    images: bool
    origin: Authenticity | None
    reasons: Reasons | None
    is_recalled: bool
    came_back: bool
    flags: dict[str, bool]
    date_short: str
    date_full: str
    date_iso: str

    @property
    def people(self) -> list[Face]:
        """Who wrote it, as a list."""
        return [self.opened.sender]

    @property
    def answer_to(self) -> str:
        """Whom an answer goes to."""
        return self.opened.answer_to


@dataclasses.dataclass(frozen=True, slots=True)
class Fold:
    """Folded mails between two others, behind one line that says how many they are."""

    rows: list[ThreadRow]


Stack = list[ThreadRow | Letter | Fold]


def context(request: HttpRequest, access: Access, entry: EntryRow, letter: Letter) -> dict[str, Any]:
    """Everything for `webmail/message_pane.html` with one mail unfolded. Its names agree with those of
    `webmail.listing`, so that both can stand on one page."""
    folder = folder_of(request, access, entry.folder_id)
    newer, older = around(request, access, folder, entry)
    return {
        **_pane(request, access, folder, letter, [entry]),
        "entry_id": str(entry.entry_id),
        "thread_id": str(entry.thread_id),
        "stack": _stack(request, access, entry, [letter]),
        "is_unseen": not letter.flags["seen"],
        "way": _way(access, entry, letter),
        "here": letter.url,
        **_neighbours(newer, older, folder),
    }


def _way(access: Access, entry: EntryRow, letter: Letter) -> ways.Shown | None:
    """What has become of a mail that lies in 已发送, if its author wants to know."""
    found = status_of_entry(access, entry.entry_id) if entry.folder_role == Role.SENT else None
    opened = letter.opened
    return ways.shown(found, Names.of([*opened.to, *opened.cc, *opened.bcc])) if found is not None else None


def conversation_context(
    request: HttpRequest, access: Access, folder: FolderRow, row: ConversationRow
) -> dict[str, Any]:
    """The same with a conversation: its newest mail and those that nobody has read are unfolded."""
    newest = entries.get(access, row.newest.entry_id)
    rows = _once(entries.thread(access, newest.entry_id), folder.id)
    here = [each for each in rows if each.folder_id == folder.id] or [newest]
    unread = [each.entry_id for each in here if not each.flags & Flag.SEEN][-MAX_UNFOLDED:]
    drafts = _drafts(request, access)
    last = next((each.entry_id for each in reversed(rows) if each.folder_id != drafts), newest.entry_id)
    letters = [_read(request, access, each) for each in dict.fromkeys([*unread, last])]
    newer, older = around_conversation(request, access, folder, row)
    return {
        **_pane(request, access, folder, letters[-1], here),
        "entry_id": letters[-1].id,
        "thread_id": str(row.thread_id),
        "is_thread": True,
        "stack": _stack(request, access, newest, letters),
        "is_unseen": row.unread > 0,
        "here": _conversation_url(folder, row),
        **_neighbours(newer, older, folder),
    }


def unfolded(request: HttpRequest, access: Access, entry: EntryRow, *, asked: bool) -> Letter:
    """A mail as it stands in a stack; `asked` for its remote pictures."""
    raw = entries.raw(access, entry.entry_id)
    watching.note(request, access, entry)
    if is_recallable(raw):
        note_opened([entry.message_id])
    readable = read(raw)
    shown = images.shown(access, entry, readable, asked=asked)
    mine = drafting.mine(actor_of(request), access.mailbox).addresses
    opened = reading.opened(readable, entry_id=entry.entry_id, mine=mine, images=shown)
    at = opened.sent_at or reading.at_us(entry.sort_us)
    return Letter(
        id=str(entry.entry_id),
        url=_url(entry),
        role=entry.folder_role,
        size=entry.size,
        opened=opened,
        images=shown,
        origin=authenticity(raw[: entry.trace_length]),
        reasons=reasons_of(entry.judgement, entry.verdict),
        is_recalled=entry.verdict == Verdict.RECALLED,
        came_back=entry.verdict == Verdict.CAME_BACK,
        flags=reading.flag_names(entry.flags),
        date_short=reading.short_date(at),
        date_full=reading.full_date(at),
        date_iso=at.isoformat(),
    )


def _read(request: HttpRequest, access: Access, entry_id: int) -> Letter:
    return unfolded(request, access, entries.get(access, entry_id), asked=False)


def _pane(
    request: HttpRequest, access: Access, folder: FolderRow, letter: Letter, rows: Sequence[ListRow]
) -> dict[str, Any]:
    """Head and toolbar: of one mail, or of all that a conversation has in this folder."""
    labels, keywords = labels_of(request, access), 0
    for row in rows:
        keywords |= row.keywords
    marks = marks_of(access, [row.entry_id for row in rows])
    held = held_drafts(access).get(int(letter.id)) if letter.role == Role.DRAFTS else None
    offered = tools(request, access, folder)
    if held is not None:  # nothing is done to it but to have it back
        offered["can"] = dict.fromkeys(offered["can"], False)
    return {
        "folder_id": str(folder.id),
        "role": folder.role,
        "letter": letter,
        "opened": letter.opened,
        "flags": letter.flags,
        "chips": carried(labels, keywords),
        "is_todo": not all(marks.get(row.entry_id, True) for row in rows),
        "is_done": bool(marks) and all(marks.values()),
        "held": held and {"id": held.submission_id, "may_send": access.may(Right.SEND)},
        **offered,
    }


def _neighbours(newer: str, older: str, folder: FolderRow) -> dict[str, str]:
    return {"newer": newer, "older": older, "after": older or newer or reverse("folder", args=[folder.id])}


def _stack(request: HttpRequest, access: Access, entry: EntryRow, letters: Sequence[Letter]) -> Stack:
    """The conversation with these letters unfolded, oldest first, each message once."""
    drafts = _drafts(request, access)
    rows = _once(entries.thread(access, entry.entry_id), entry.folder_id) if entry.thread_id else [entry]
    by_id = {letter.id: letter for letter in letters}
    at = next((place for place, row in enumerate(rows) if str(row.entry_id) in by_id), 0)
    cut = rows[max(0, at - MAX_THREAD) : at + 1 + MAX_THREAD]
    states = held_words(access) if any(row.folder_id == drafts for row in cut) else {}
    stack: list[ThreadRow | Letter] = [by_id.get(str(row.entry_id)) or _thread_row(row, drafts, states) for row in cut]
    shown = {row.entry_id for row in cut}
    return _folded([*stack, *(letter for letter in letters if int(letter.id) not in shown)])


def _folded(stack: Sequence[ThreadRow | Letter]) -> Stack:
    """Long runs of folded mails shrink to their first, their last and a line between."""
    found: Stack = []
    for is_row, group in itertools.groupby(stack, lambda item: isinstance(item, ThreadRow)):
        run = list(group)
        middle = [item for item in run[1:-1] if isinstance(item, ThreadRow)]
        found += [run[0], Fold(middle), run[-1]] if is_row and len(run) > MAX_RUN else run
    return found


def _once(rows: Iterable[ListRow], folder_id: int) -> list[ListRow]:
    """Each message once, its copy in this folder before others."""
    kept: dict[int, ListRow] = {}
    for row in rows:
        if row.message_id not in kept or row.folder_id == folder_id:
            kept[row.message_id] = row
    return sorted(kept.values(), key=lambda row: (row.sort_us, row.entry_id))


def _thread_row(row: ListRow, drafts: int, states: dict[int, str]) -> ThreadRow:
    at = reading.at_us(row.sort_us)
    return ThreadRow(
        id=str(row.entry_id),
        url=_url(row),
        face=Face(row.sender_name, row.sender_address),
        preview=row.preview,
        date=reading.short_date(at),
        iso=at.isoformat(),
        is_seen=bool(row.flags & Flag.SEEN),
        is_draft=row.folder_id == drafts,
        state=states.get(row.entry_id, ""),
    )


def _drafts(request: HttpRequest, access: Access) -> int:
    """The folder of drafts."""
    return next((row.id for row in folders_of(request, access) if row.role == Role.DRAFTS), 0)


def _url(row: ListRow) -> str:
    return reverse("message", args=[row.folder_id, row.entry_id])


def _conversation_url(folder: FolderRow, row: ConversationRow) -> str:
    return reverse("conversation", args=[folder.id, row.thread_id])
