"""A mail as conditions see it: read from its bytes when first asked, folded once, bounded whatever it holds."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence

from mailstore.message import Attribute, Scanned, header as header_text, read
from mailstore.message.recipient import Mailbox, people
from mailstore.search.document import body_text
from mailstore.search.words import fold

READ_MAX_BYTES = 1 << 20
"""Of a mail's beginning: text behind a megabyte is not looked at."""
TEXT_MAX_CHARS = 200_000
VALUE_MAX_CHARS = 1_000
VALUES_MAX = 20
"""Fields of one name."""
PEOPLE_MAX = 500


class Looked:
    """`raw` is the mail with or without our trace, `header_length` the length of its own header; `reached` are the
    addresses of this mailbox that the envelope named."""

    def __init__(
        self, raw: bytes, scanned: Scanned, header_length: int, *, sender: str, reached: Sequence[str] = ()
    ) -> None:
        self._raw = raw
        self._scanned = scanned
        self._header_length = header_length
        self._sender = sender
        self._reached = reached

    def for_recipient(self, reached: Sequence[str]) -> Looked:
        """The same mail in another mailbox; what was read of it is kept."""
        other = Looked(self._raw, self._scanned, self._header_length, sender=self._sender, reached=reached)
        other.__dict__.update({name: value for name, value in self.__dict__.items() if name != "_reached"})
        return other

    @property
    def size_bytes(self) -> int:
        """Of the whole mail."""
        return self._scanned.size

    @property
    def has_attachment(self) -> bool:
        """What lists show with a clip."""
        return bool(self._scanned.attributes & Attribute.ATTACHMENT)

    @functools.cached_property
    def subject(self) -> str:
        """Folded."""
        return fold(self._scanned.subject)

    @functools.cached_property
    def senders(self) -> list[str]:
        """The author as people see him, his address and name alone, and the envelope's sender."""
        name, address = self._scanned.sender_name, self._scanned.sender_address
        return [fold(each) for each in dict.fromkeys((f"{name} <{address}>", address, name, self._sender)) if each]

    @functools.cached_property
    def _people(self) -> list[Mailbox]:
        fields = (b"to", b"cc", b"resent-to")
        return [person for field in fields for person in people(self._fields.get(field))[:PEOPLE_MAX]]

    @property
    def addressed(self) -> list[str]:
        """The addresses of To and Cc, as they stand there."""
        return [person.address for person in self._people]

    @functools.cached_property
    def _addressed(self) -> list[str]:
        found: list[str] = []
        for person in self._people:
            found += [f"{person.display} <{person.address}>", person.address, person.display]
        return [fold(each) for each in dict.fromkeys(found) if each]

    @property
    def recipients(self) -> list[str]:
        """Of To and Cc, and the address by which it came here."""
        return [*self._addressed, *(fold(each) for each in self._reached)]

    @functools.cached_property
    def text(self) -> str:
        """Subject and text, folded."""
        return f"{self.subject}\n{fold(body_text(read(self._raw[:READ_MAX_BYTES]))[:TEXT_MAX_CHARS])}"

    @functools.cached_property
    def filenames(self) -> list[str]:
        """Of every part that has one."""
        rows = json.loads(self._scanned.parts or "[]")
        return [fold(row[5])[:VALUE_MAX_CHARS] for row in rows if row[5]][:PEOPLE_MAX]

    def values_of(self, name: str) -> list[str]:
        """The values of a header field (its name in lower case), folded."""
        wanted = name.encode()
        found = [value for field, value in self._all_fields if field.lower() == wanted][:VALUES_MAX]
        return [fold(header_text.decoded(value))[:VALUE_MAX_CHARS] for value in found]

    @functools.cached_property
    def _all_fields(self) -> header_text.Fields:
        return header_text.fields(self._raw, 0, self._header_length)

    @functools.cached_property
    def _fields(self) -> dict[bytes, bytes]:
        return header_text.first_of(self._all_fields)
