"""What a sender wants told and kept on a mail's way (RFC 3461, RFC 8689); from the dialogue through the queue and on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class RecipientWish:
    """`notify`: '' (failures, and delays perhaps), NEVER, or words of SUCCESS, FAILURE, DELAY; `original`: ORCPT."""

    notify: str = ""
    original: str = ""

    @property
    def on_failure(self) -> bool:
        """Whether the sender wants to hear of a failure."""
        return not self.notify or "FAILURE" in self.notify

    @property
    def on_delay(self) -> bool:
        """Whether the sender wants to hear that it takes long."""
        return not self.notify or "DELAY" in self.notify

    @property
    def on_success(self) -> bool:
        """Whether the sender wants to hear of a delivery."""
        return "SUCCESS" in self.notify


@dataclasses.dataclass(frozen=True, slots=True)
class Wishes:
    """For the whole message; `recipients` by address in lower case."""

    returned: str = ""
    """RET: FULL, HDRS or ''."""
    envelope_id: str = ""
    """ENVID, in xtext."""
    require_tls: bool = False
    recipients: Mapping[str, RecipientWish] = dataclasses.field(default_factory=dict)

    def of(self, recipient: str) -> RecipientWish:
        """The wish for one recipient."""
        return self.recipients.get(recipient.lower(), NO_WISH)


NO_WISH = RecipientWish()
NO_WISHES = Wishes()
