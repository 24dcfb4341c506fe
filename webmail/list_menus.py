"""The menus above a list: quick filters, all filters, the order; each entry is a link or a field of a plain form."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import formats
from django.utils.translation import gettext as _, gettext_lazy

from core.access import Access
from mailstore.models import Role
from mailstore.selectors.lists import Sort
from webmail.asked import ORDERS, Asked, name_of
from webmail.labels import labels_of

QUICK = {
    "": gettext_lazy("All"),
    "unread": gettext_lazy("Unread"),
    "starred": gettext_lazy("Starred"),
    "attachment": gettext_lazy("Attachments"),
}
CHOICES = {
    "unread": gettext_lazy("Unread"),
    "read": gettext_lazy("Read"),
    "starred": gettext_lazy("Starred"),
    "attachment": gettext_lazy("With attachments"),
    "todo": gettext_lazy("To do"),
}
BY = {
    "date": gettext_lazy("Date"),
    "sender": gettext_lazy("Sender"),
    "subject": gettext_lazy("Subject"),
    "size": gettext_lazy("Size"),
}
WAYS = {
    "date": (gettext_lazy("Newest first"), gettext_lazy("Oldest first")),
    "sender": (gettext_lazy("A to Z"), gettext_lazy("Z to A")),
    "subject": (gettext_lazy("A to Z"), gettext_lazy("Z to A")),
    "size": (gettext_lazy("Largest first"), gettext_lazy("Smallest first")),
}
"""The natural way and the other one."""


def segments(address: str, asked: Asked, names: tuple[str, ...] = tuple(QUICK)) -> list[dict[str, Any]]:
    """One-click filters: each replaces whatever else is filtered by."""
    kept = ("show", "label", "from", "since", "until")
    alone = asked.label is None and not (asked.sender or asked.since or asked.until)
    return [
        {
            "name": name,
            "label": QUICK[name],
            "url": asked.link(address, without=kept, **({"show": name} if name else {})),
            "is_on": alone and asked.show == ((name,) if name else ()),
        }
        for name in names
    ]


def sorting(address: str, asked: Asked, sort: Sort, *, role: str) -> dict[str, Any]:
    """The order: by what, and which way; `name` is the one that holds."""
    by = name_of(Sort(sort.by))
    names = [name for name in ORDERS if not (name == "sender" and role in {Role.SENT, Role.DRAFTS})]
    return {
        "name": name_of(sort),
        "by": [{"value": name, "label": BY[name], "is_on": name == by} for name in names],
        "ways": [
            {"value": f"{sign}{by}", "label": label, "is_on": sort.reverse == bool(sign)}
            for sign, label in zip(("", "-"), WAYS[by], strict=True)
        ],
        "is_natural": sort == Sort(),
        "next": asked.link(address, without=["sort"]),
        "by_date": by == "date",
    }


def filtering(request: HttpRequest, access: Access, address: str, asked: Asked) -> dict[str, Any]:
    """The fields of the filter's form, and a chip with a link for each condition that holds."""
    return {
        "choices": [{"name": name, "label": label, "is_on": name in asked.show} for name, label in CHOICES.items()],
        "chips": _chips(request, access, address, asked),
        "clear": asked.link(address, without=["show", "label", "from", "since", "until"]),
        "label": str(asked.label),
        "sort": name_of(asked.sort) if asked.sort else "",
    }


def _chips(request: HttpRequest, access: Access, address: str, asked: Asked) -> list[dict[str, str]]:
    """Conditions that no quick filter shows, each with a link that drops it."""
    if asked.show in {(), *((name,) for name in QUICK)} and asked.filter == Asked(show=asked.show).filter:
        return []
    chips = [{"text": str(CHOICES[name]), "url": asked.without_show(name).link(address)} for name in asked.show]
    if asked.label is not None:
        names = {each.id: each.name for each in labels_of(request, access)}
        chips.append({"text": names.get(str(asked.label), _("Label")), "url": asked.link(address, without=["label"])})
    if asked.sender:
        chips.append({"text": asked.sender, "url": asked.link(address, without=["from"])})
    if asked.since:
        text = _("From %s on") % _shown(asked.since)
        chips.append({"text": text, "url": asked.link(address, without=["since"])})
    if asked.until:
        text = _("Until %s") % _shown(asked.until)
        chips.append({"text": text, "url": asked.link(address, without=["until"])})
    return chips


def _shown(day: datetime.date) -> str:
    return str(formats.date_format(day, _("j M Y")))
