"""Labels as pages show them: a name and one of ten colours, each a class with its light and dark form in the style sheet."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.access import Access
from mailstore.selectors.keywords import KeywordRow
from webmail.http import side_of

COLOURS = {
    "grey": ("#64748b", _("Grey")),
    "red": ("#dc2626", _("Red")),
    "orange": ("#ea580c", _("Orange")),
    "amber": ("#ca8a04", _("Amber")),
    "green": ("#16a34a", _("Green")),
    "teal": ("#0d9488", _("Teal")),
    "blue": ("#2563eb", _("Blue")),
    "indigo": ("#4f46e5", _("Indigo")),
    "purple": ("#9333ea", _("Purple")),
    "pink": ("#db2777", _("Pink")),
}
"""Class to what the store keeps, and a word."""
NEW_ORDER = ("blue", "green", "orange", "purple", "red", "teal", "amber", "pink", "indigo", "grey")
"""Colours of labels that are made without choosing one."""
_BY_HEX = {hex_value: name for name, (hex_value, _word) in COLOURS.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """A label; `bit` is its place in `ListRow.keywords`."""

    id: str
    bit: int
    name: str
    colour: str
    total: int
    unread: int


def labels_of(request: HttpRequest, access: Access) -> list[Label]:
    """The mailbox's labels: rows, tree and menus share them."""
    return [label(row) for row in side_of(request, access).keywords if row.label]


def label(row: KeywordRow) -> Label:
    """A keyword with a name."""
    return Label(str(row.id), row.bit, row.label, _BY_HEX.get(row.colour, "grey"), row.total, row.unread)


def carried(labels: Sequence[Label], bits: int) -> list[Label]:
    """Those that a mail with these keyword bits has."""
    return [each for each in labels if bits >> each.bit & 1] if bits else []


def next_colour(labels: list[Label]) -> str:
    """The stored colour of a new label: one that isn't taken, as long as there is one."""
    taken = {each.colour for each in labels}
    free = [name for name in NEW_ORDER if name not in taken]
    return COLOURS[free[0] if free else NEW_ORDER[len(labels) % len(NEW_ORDER)]][0]
