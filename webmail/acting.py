"""What acts on mail do, and what they say afterwards: by their names, the words that forms send."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from django.core import signing
from django.http import HttpRequest
from django.utils.translation import ngettext

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.models import Flag, Role
from mailstore.selectors.entries import rows_of
from mailstore.selectors.folders import folder, folder_by_role
from mailstore.selectors.keywords import KeywordRow, keyword, keywords
from mailstore.services import entries, folders, todos
from mailstore.services.entries import Moved, Selection
from mailstore.services.keywords import create_label, set_keywords
from mailstore.services.selection import Chosen
from webmail.context import folder_name
from webmail.http import packed_id
from webmail.labels import label, next_colour

MAX_UNDO = 1_000
"""Moves that one Undo takes back; the token travels in the answer."""
UNDO_SALT = "webmail.undo"


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """What to tell: a line, and how to take it back."""

    text: str
    undo: str = ""


def perform(request: HttpRequest, access: Access, chosen: Chosen, name: str) -> Done:
    """Do it. INVALID for what is no act; else as the services."""
    if name in WITH_FIELDS:
        return WITH_FIELDS[name](request, access, chosen)
    if name in ACTS:
        return ACTS[name](access, chosen)
    raise MailError(ErrorKind.INVALID, field="act")


def undo_token(access: Access, undo: Sequence[tuple[int | str, ...]]) -> str:
    """What Undo sends back: pairs for a move, triples for a recovery, a word and an entry for a mark."""
    return signing.dumps([[access.mailbox, access.actor], *undo], salt=UNDO_SALT, compress=True)


def take_back(access: Access, undo: Sequence[Sequence[int | str]]) -> None:
    """Undo what a token says."""
    word = undo[0][0]
    if isinstance(word, str):
        UNMARK[word](access, [int(entry) for _word, entry in undo])
    elif len(undo[0]) == 3:
        entries.unrecover(access, [(int(entry), int(origin), int(at_us)) for entry, origin, at_us in undo])
    else:
        entries.move_back(access, [(int(entry), int(origin)) for entry, origin in undo])


def _flag(add: Flag, remove: Flag) -> Callable[[Access, Chosen], Done]:
    def act(access: Access, chosen: Chosen) -> Done:
        return _changed(len(entries.set_flags(access, chosen, add=add, remove=remove).entry_ids))

    return act


def _changed(count: int) -> Done:
    return Done(ngettext("%d mail changed", "%d mails changed", count) % count if count > 1 else "")


def _delete(access: Access, chosen: Chosen) -> Done:
    moved = entries.delete(access, chosen)
    if moved.purged and not moved.undo:
        text = ngettext("%d mail deleted for good", "%d mails deleted for good", moved.purged) % moved.purged
        return Done(text)
    return _moved(access, moved, folder_name(Role.TRASH, ""))


def _to(role: Role) -> Callable[[Access, Chosen], Done]:
    def act(access: Access, chosen: Chosen) -> Done:
        target = folder_by_role(access, role)
        return _moved(access, entries.move(access, chosen, folder_id=target.id), folder_name(role, ""))

    return act


def _empty(access: Access, chosen: Chosen) -> Done:
    if not isinstance(chosen, Selection) or chosen.folder_id is None:
        raise MailError(ErrorKind.INVALID, field="whole")
    count = folders.empty_folder(access, chosen.folder_id)
    return Done(ngettext("%d mail deleted for good", "%d mails deleted for good", count) % count)


def _todo(access: Access, chosen: Chosen) -> Done:
    marked = todos.mark_todo(access, chosen).entry_ids
    text = ngettext("%d mail is to do now", "%d mails are to do now", len(marked)) % len(marked)
    return _marked(access, text, "todo", marked)


def _finish(access: Access, chosen: Chosen) -> Done:
    done = todos.finish_todo(access, chosen).entry_ids
    text = ngettext("%d mail completed", "%d mails completed", len(done)) % len(done)
    return _marked(access, text, "done", done)


def _restore(access: Access, chosen: Chosen) -> Done:
    restored = todos.restore_todo(access, chosen).entry_ids
    text = ngettext("%d mail is back in its folder", "%d mails are back in their folders", len(restored))
    return Done(text % len(restored))


def _marked(access: Access, text: str, word: str, marked: Sequence[int]) -> Done:
    if len(marked) > MAX_UNDO:
        return Done(text)
    return Done(text, undo_token(access, [(word, entry) for entry in marked]))


UNMARK: dict[str, Callable[[Access, Chosen], object]] = {"todo": todos.restore_todo, "done": todos.mark_todo}
"""What takes a mark back."""
ACTS: dict[str, Callable[[Access, Chosen], Done]] = {
    "read": _flag(Flag.SEEN, Flag(0)),
    "unread": _flag(Flag(0), Flag.SEEN),
    "star": _flag(Flag.FLAGGED, Flag(0)),
    "unstar": _flag(Flag(0), Flag.FLAGGED),
    "delete": _delete,
    "junk": _to(Role.JUNK),
    "not_junk": _to(Role.INBOX),
    "empty": _empty,
    "todo": _todo,
    "done": _finish,
    "restore": _restore,
}


def _move(request: HttpRequest, access: Access, chosen: Chosen) -> Done:
    target = folder(access, packed_id(request.POST.get("folder", "")))
    return _moved(access, entries.move(access, chosen, folder_id=target.id), folder_name(target.role, target.name))


def _recover(request: HttpRequest, access: Access, chosen: Chosen) -> Done:
    if isinstance(chosen, Selection):
        raise MailError(ErrorKind.INVALID, field="ids")
    target = folder(access, packed_id(request.POST.get("folder", "")))
    recovered = entries.recover(access, chosen, folder_id=target.id)
    count = len(recovered.undo)
    text = ngettext("%(n)d mail restored to “%(folder)s”", "%(n)d mails restored to “%(folder)s”", count) % {
        "n": count,
        "folder": folder_name(target.role, target.name),
    }
    return Done(text, undo_token(access, recovered.undo) if access.may(Right.DELETE) else "")


def _label(request: HttpRequest, access: Access, chosen: Chosen) -> Done:
    """Put a label on, or take it off when all of them have it."""
    found = _named(access, request.POST.get("label", ""))
    if _all_have(access, chosen, found):
        return _unlabel(request, access, chosen)
    return _labelled(access, chosen, found)


def _unlabel(request: HttpRequest, access: Access, chosen: Chosen) -> Done:
    found = _named(access, request.POST.get("label", ""))
    count = len(set_keywords(access, chosen, remove=[found.id]).entry_ids)
    text = ngettext("Label “%(label)s” removed from %(n)d mail", "Label “%(label)s” removed from %(n)d mails", count)
    return Done(text % {"label": found.label, "n": count})


def _label_new(request: HttpRequest, access: Access, chosen: Chosen) -> Done:
    """A label by name: made unless there is one of this name."""
    name = " ".join(request.POST.get("new_label", "").split())
    known = [each for each in keywords(access) if each.label]
    found = next((each for each in known if each.label.casefold() == name.casefold()), None)
    colour = next_colour([label(each) for each in known])
    return _labelled(access, chosen, found or create_label(access, name, colour=colour))


def _labelled(access: Access, chosen: Chosen, found: KeywordRow) -> Done:
    count = len(set_keywords(access, chosen, add=[found.id]).entry_ids)
    text = ngettext("Label “%(label)s” put on %(n)d mail", "Label “%(label)s” put on %(n)d mails", count)
    return Done(text % {"label": found.label, "n": count})


def _named(access: Access, text: str) -> KeywordRow:
    found = keyword(access, packed_id(text))
    if not found.label:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def _all_have(access: Access, chosen: Chosen, found: KeywordRow) -> bool:
    """Whether every one of these mails has the label; a whole folder never counts as that."""
    if isinstance(chosen, Selection):
        return False
    rows = [row for part in sql.slices(chosen) for row in rows_of(access, part)]
    return bool(rows) and all(row.keywords >> found.bit & 1 for row in rows)


WITH_FIELDS: dict[str, Callable[[HttpRequest, Access, Chosen], Done]] = {
    "move": _move,
    "recover": _recover,
    "label": _label,
    "unlabel": _unlabel,
    "label_new": _label_new,
}


def _moved(access: Access, moved: Moved, name: str) -> Done:
    count = len(moved.undo) + moved.purged
    text = ngettext("%(n)d mail moved to “%(folder)s”", "%(n)d mails moved to “%(folder)s”", count) % {
        "n": count,
        "folder": name,
    }
    if not moved.undo or len(moved.undo) > MAX_UNDO:
        return Done(text)
    return Done(text, undo_token(access, moved.undo))
