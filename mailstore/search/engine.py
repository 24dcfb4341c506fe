"""What an index can do."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Sequence
from typing import Protocol

from mailstore.search.document import Document
from mailstore.search.expression import Expression

MAX_HITS = 20_000
"""Keys that one call returns at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """A message that matches; hits come newest first by key."""

    key: int
    message_id: int


class Index(Protocol):
    """One index on either engine. Reading and adding are safe from several threads and processes."""

    def add(self, documents: Sequence[Document]) -> None:
        """Take in, durably when it returns. A message that is in with other tokens is replaced, never doubled."""

    def remove(self, message_id: int, tokens: Sequence[str] | None) -> None:
        """Take a message out; harmless when it isn't there. Without the tokens it was put in with, it is only hidden."""

    def hits(self, mailbox: int, expression: Expression, *, low: int, high: int, limit: int) -> list[Hit]:
        """Messages of a mailbox that match, their keys from `low` to `high`, newest first."""

    def holders(self, mailbox: int, expression: Expression) -> array[int]:
        """All messages of a mailbox that match, in no order."""

    def keys_of(self, message_ids: Sequence[int]) -> dict[int, int]:
        """Keys of those messages that are in the index."""

    def message_ids(self, mailbox: int, after: int, limit: int) -> list[int]:
        """Messages in the index with ids above `after`, ascending (for the check)."""

    def empty(self) -> None:
        """Forget everything: all messages have to be put in again."""

    def is_new(self) -> bool:
        """Whether it has been emptied or made, and nobody has called `filled` since."""

    def filled(self) -> None:
        """Everything it lacks is waiting for the indexer now."""

    def size(self) -> tuple[int, int]:
        """(documents, hidden remains of documents) of the whole index."""
