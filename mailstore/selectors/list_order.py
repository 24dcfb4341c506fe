"""The orders of a list, and keys in them: where a row stands, so that a page can start after or before it.

By date and by size both columns of the key fall; by sender and by subject the text rises and the id falls, so that the
newest of a sender comes first. The date's order is an index of the entry, the others are kept where they are used
(`mailstore.orders`).
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum

from core.errors import ErrorKind, MailError

MAX_KEY_CHARS = 400
_TEXT = "~"
"""Marks the value of a text order in a key's text form."""


class By(enum.Enum):
    """What a list is ordered by: the column of the entry and whether it rises in the natural direction."""

    DATE = ("sort_us", False)
    SENDER = ("sender_key", True)
    SUBJECT = ("subject_key", True)
    SIZE = ("size", False)

    @property
    def column(self) -> str:
        """The column of `mailstore_entry`."""
        return self.value[0]

    @property
    def is_text(self) -> bool:
        """Whether its keys are texts."""
        return self in {By.SENDER, By.SUBJECT}

    @property
    def rises(self) -> bool:
        """Whether the natural direction goes up (A to Z)."""
        return self.value[1]


@dataclasses.dataclass(frozen=True, slots=True)
class Sort:
    """An order; `reverse` turns the natural direction (newest, A to Z, largest first) round, ties included."""

    by: By = By.DATE
    reverse: bool = False

    def walk(self, *, backwards: bool = False, value: str = "") -> Walk:
        """The direction of both columns, for a page after a key or (`backwards`) before one. `value` replaces the column."""
        turned = self.reverse != backwards
        return Walk(value or f"e.{self.by.column}", "e.id", up=self.by.rises != turned, id_up=turned)


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """Where a row stands: the value of the order's column, then the id. As text `value.id`, texts in base64url."""

    value: int | str
    id: int

    def __str__(self) -> str:
        if isinstance(self.value, int):
            return f"{self.value}.{self.id}"
        encoded = base64.urlsafe_b64encode(self.value.encode("utf-8", "surrogatepass")).decode()
        return f"{_TEXT}{encoded}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """The way back; INVALID for anything else."""
        value, _, entry_id = text[:MAX_KEY_CHARS].rpartition(".")
        if not (entry_id.isascii() and entry_id.isdigit() and len(entry_id) < 20 and int(entry_id) < 1 << 63):
            raise MailError(ErrorKind.INVALID, field="key")
        return cls(_text(value[1:]) if value.startswith(_TEXT) else _number(value), int(entry_id))

    @property
    def sort_us(self) -> int:
        """The value of a key by date; INVALID for a key of an order by text."""
        if isinstance(self.value, str):
            raise MailError(ErrorKind.INVALID, field="key")
        return self.value

    def require(self, sort: Sort) -> None:
        """INVALID for a key of another kind of order."""
        if isinstance(self.value, str) != sort.by.is_text:
            raise MailError(ErrorKind.INVALID, field="key")


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) < 1 << 63):
        raise MailError(ErrorKind.INVALID, field="key")
    return int(text)


def _text(encoded: str) -> str:
    try:
        found = base64.b64decode(encoded.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise MailError(ErrorKind.INVALID, field="key") from None
    if "\0" in found:
        raise MailError(ErrorKind.INVALID, field="key")
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Walk:
    """A direction through (`value`, `id`): SQL expressions, each going up or down. Where the column has ids negated,
    `id_up` still speaks of the ids."""

    value: str
    id: str
    up: bool
    id_up: bool
    is_negated: bool = False

    @property
    def order(self) -> str:
        """The ORDER BY list."""
        id_up = self.id_up != self.is_negated
        return f"{self.value} {'ASC' if self.up else 'DESC'}, {self.id} {'ASC' if id_up else 'DESC'}"

    @property
    def key(self) -> str:
        """The columns of a row's key, for SELECT."""
        return f"{self.value}, {'-' * self.is_negated}{self.id}"

    def beyond(self, key: Key | None) -> tuple[str, list[object]]:
        """` AND …` for the rows after `key`, in the form that both engines walk an index by; nothing for None."""
        if key is None:
            return "", []
        return self._side(key, up=self.up, id_up=self.id_up, also="")

    def until(self, key: Key | None) -> tuple[str, list[object]]:
        """` AND …` for the rows up to and with `key`."""
        if key is None:
            return "", []
        return self._side(key, up=not self.up, id_up=not self.id_up, also="=")

    def _side(self, key: Key, *, up: bool, id_up: bool, also: str) -> tuple[str, list[object]]:
        value, entry_id = (">" if up else "<"), (">" if id_up != self.is_negated else "<")
        condition = f" AND {self.value} {value}= %s AND ({self.value} {value} %s OR {self.id} {entry_id}{also} %s)"
        return condition, [key.value, key.value, -key.id if self.is_negated else key.id]


NATURAL = Sort()
