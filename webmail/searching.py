"""The search page put together: results with marks, what was not understood, the panel that fills the box."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext as _, gettext_lazy

from core.access import Access
from core.errors import MailError
from mailstore.models import Role
from mailstore.search.excerpt import Marks
from mailstore.search.operators import leaf
from mailstore.search.query import Parsed, Problem, ProblemKind, parse, show
from mailstore.search.rebuild import waiting
from mailstore.search.tree import And, Day, Field, In, Is, Node, Size, State, Text, all_of, leaves
from mailstore.selectors.excerpts import excerpts
from mailstore.selectors.list_marked import marks_of
from mailstore.selectors.search import Found, search
from webmail.context import folder_name
from webmail.delivery_words import held_words
from webmail.display import display_of
from webmail.http import folders_of, side_of
from webmail.labels import labels_of
from webmail.listing import rights_anywhere, targets
from webmail.rows import Rows

MAX_TEXT_CHARS = 400
BACKLOG = 200
"""So many mails that aren't indexed yet are told about."""

EXAMPLES = (
    ("has:attachment newer_than:7d", "有附件 最近:7天", gettext_lazy("With an attachment, of the last seven days")),
    ("is:unread", "是:未读", gettext_lazy("Unread, in every folder")),
    ("is:starred", "是:星标", gettext_lazy("Starred")),
    ("larger:5M", "大于:5M", gettext_lazy("Larger than 5 MB")),
    ("in:sent newer_than:1m", "在:已发送 最近:1月", gettext_lazy("Sent within a month")),
)
HELP = (
    ("from:wang", "发件人:王", gettext_lazy("Sender: name or address")),
    ("to:li@example.com", "收件人:李", gettext_lazy("Recipient, copies too")),
    ("subject:invoice", "主题:发票", gettext_lazy("Words of the subject")),
    ('"price list"', "“报价单”", gettext_lazy("These words, side by side")),
    ("has:attachment", "有附件", gettext_lazy("With attachments")),
    ("filename:pdf", "附件名:合同", gettext_lazy("Name of an attachment")),
    ("is:unread, is:starred", "是:未读、是:星标", gettext_lazy("State")),
    ("in:sent, label:VIP", "文件夹:已发送、标签:VIP", gettext_lazy("Folder or label; trash and junk only when named")),
    ("after:2026/1/31 before:2026/3/1", "晚于:2026-1-31", gettext_lazy("Dates")),
    ("newer_than:7d, older_than:1y", "最近:7天", gettext_lazy("Age: h, d, w, m, y")),
    ("larger:5M, smaller:100K", "大于:5M", gettext_lazy("Size")),
    ("invoice OR receipt", "发票 或 收据", gettext_lazy("Either of the two")),
    ("-newsletter", "-推广", gettext_lazy("Without this word")),
    ("contr*", "contr*", gettext_lazy("Words that begin so")),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Panel:
    """The fields of the advanced panel, as far as the question says them."""

    sender: str = ""
    to: str = ""
    subject: str = ""
    words: str = ""
    without: str = ""
    folder: str = ""
    after: str = ""
    before: str = ""
    size: str = ""
    attachment: bool = False


def asked(query: QueryDict) -> str:
    """The text of a question."""
    return " ".join(query.get("q", "").replace("\0", "").split())[:MAX_TEXT_CHARS]


def from_panel(query: QueryDict) -> str:
    """The question that the panel's fields make, as text for the box."""
    parts: list[Node] = []
    for name, operator in (("from", "from"), ("to", "to"), ("subject", "subject"), ("folder", "in")):
        value = _clean(query.get(name, ""))
        found = leaf(operator, value) if value else None
        parts += [found] if found is not None else []
    words = parse(query.get("words", "")[:MAX_TEXT_CHARS]).tree
    parts += [words] if words is not None else []
    for word in _clean(query.get("without", "")).split():
        parts += [each for each in [parse(f"-{word}").tree] if each is not None]
    for name in ("after", "before"):
        found = leaf(name, _clean(query.get(name, "")))
        parts += [found] if found is not None else []
    size = leaf("larger", _clean(query.get("size", "")))
    parts += [size] if size is not None else []
    parts += [Is(State.ATTACHMENT)] if query.get("attachment") else []
    return show(all_of(parts))


def _clean(value: str) -> str:
    return " ".join(re.sub(r'["\x00-\x1f]', " ", value[:MAX_TEXT_CHARS]).split())


def panel_of(tree: Node | None) -> Panel:
    """The panel filled with what it can say of a question; the rest stays in the words."""
    fields: dict[str, Any] = {}
    rest: list[Node] = []
    parts: Sequence[Node] = tree.parts if isinstance(tree, And) else [] if tree is None else [tree]
    for part in parts:
        name, value = _panel_field(part)
        if name and name not in fields:
            fields[name] = value
        else:
            rest.append(part)
    return Panel(**fields, words=show(all_of(rest)))


def _panel_field(part: Node) -> tuple[str, Any]:
    match part:
        case Text(value, Field.FROM, False):
            return "sender", value
        case Text(value, Field.TO | Field.SUBJECT as field, False):
            return field.value, value
        case In(name):
            return "folder", name
        case Day(day, is_after):
            return "after" if is_after else "before", day.isoformat()
        case Size(size_bytes, False):
            return "size", show(Size(size_bytes, is_smaller=False)).removeprefix("larger:")
        case Is(State.ATTACHMENT):
            return "attachment", True
    return "", None


def results(request: HttpRequest, access: Access, text: str, after: str) -> dict[str, Any]:
    """The context of `webmail/search_part.html`."""
    parsed = parse(text)
    tree = folders_of(request, access)
    found = _found(request, access, parsed, after)
    marks = Marks.of(parsed.tree) if parsed.tree is not None else None
    names = {row.id: folder_name(row.role, row.name) for row in tree}
    lines = excerpts(access, found.rows, marks) if marks is not None else {}
    labels = labels_of(request, access)
    marked = side_of(request, access).marks
    todo = marks_of(access, [row.entry_id for row in found.rows]) if marked else None
    drafts = next((row.id for row in tree if row.role == Role.DRAFTS), 0)
    states = held_words(access) if any(row.folder_id == drafts for row in found.rows) else None
    rows = Rows(folder_names=names, marks=marks, excerpts=lines, labels=labels, todo=todo, states=states)
    return {
        "q": text,
        "rows": rows.render(found.rows),
        "count": len(found.rows),
        "is_empty": not found.rows,
        "is_continued": bool(after),
        "more": _more(text, access, found),
        "is_cut": found.next is not None and len(found.rows) < display_of(request).page_size,
        "notes": [_note(problem, text) for problem in parsed.problems],
        "backlog": waiting(access.mailbox, limit=100_000) if text else 0,
        "backlog_told": BACKLOG,
        "by": "entry",
        "labels": labels,
        "can": rights_anywhere(access),
        "targets": targets([row for row in tree if not (row.is_read_only or row.is_locked)]),
        "panel": panel_of(parsed.tree),
        "mailbox": access.mailbox,
        "address": request.get_full_path(),
        "elsewhere": _elsewhere(text, parsed),
        **_explained(),
    }


def _explained() -> dict[str, Any]:
    """Examples and operators, the reader's language first."""
    is_chinese = (get_language() or "").startswith("zh")
    examples = [(chinese if is_chinese else english, what) for english, chinese, what in EXAMPLES]
    return {
        "examples": [
            {"q": q, "url": f"{reverse('search')}?{urlencode({'q': q})}", "what": what} for q, what in examples
        ],
        "help": [((chinese, english) if is_chinese else (english, chinese), what) for english, chinese, what in HELP],
    }


def _found(request: HttpRequest, access: Access, parsed: Parsed, after: str) -> Found:
    if parsed.tree is None:
        return Found([], None)
    now = timezone.localtime()
    size = display_of(request).page_size
    try:
        return search(access, parsed.tree, now=now, after=after, limit=size)
    except MailError:
        if not after:
            raise
        return search(access, parsed.tree, now=now, limit=size)


def _more(text: str, access: Access, found: Found) -> str:
    if found.next is None:
        return ""
    return f"{reverse('search')}?{urlencode({'q': text, 'mailbox': access.mailbox, 'after': found.next})}"


def _elsewhere(text: str, parsed: Parsed) -> str:
    """The same question in trash and junk too, when it named no folder."""
    if parsed.tree is None or any(isinstance(each, In) for each, _positive in leaves(parsed.tree)):
        return ""
    return f"{reverse('search')}?{urlencode({'q': f'{text} in:anywhere'})}"


def _note(problem: Problem, text: str) -> dict[str, str]:
    """What to say of a problem, and a link to what may have been meant."""
    said = {
        ProblemKind.TOO_LONG: _("The question is too long: only its beginning was searched for."),
        ProblemKind.UNCLOSED: _("A bracket or a quotation mark has no partner: “%(piece)s”."),
        ProblemKind.NO_VALUE: _("Nothing stands behind “%(piece)s”."),
        ProblemKind.BAD_VALUE: _("“%(piece)s” was not understood and was searched for as text."),
        ProblemKind.UNKNOWN_OPERATOR: _("There is no “%(piece)s”; it was searched for as text."),
    }[problem.kind] % {"piece": problem.text}
    meant = text.replace(problem.text, problem.suggestion, 1) if problem.suggestion else ""
    return {"text": said, "meant": meant, "url": f"{reverse('search')}?{urlencode({'q': meant})}" if meant else ""}
