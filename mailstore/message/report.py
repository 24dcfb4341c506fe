"""What a delivery report of another server says (RFC 3464): the failed recipients in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailstore.message import body
from mailstore.message.structure import structure

STATUS_MAX_BYTES = 256 * 1024
RECIPIENTS_MAX = 1_000
_FOLD = re.compile(r"\r?\n[ \t]+")
_BLOCKS = re.compile(r"(?:\r?\n){2,}")
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})")


@dataclass(frozen=True, slots=True)
class Reported:
    """One recipient that the report is about; `action` is that of RFC 3464 2.3.3, `text` what the server said."""

    recipient: str
    action: str
    code: str
    text: str


def reported(raw: bytes) -> list[Reported]:
    """The recipients of a report, at most RECIPIENTS_MAX; none for any other mail. Never raises on bad input."""
    root = structure(raw)
    if root.content_type != "multipart/report":
        return []
    status = next((each for each in root.children if each.subtype in _KINDS and each.type == "message"), None)
    if status is None:
        return []
    text = body.head(raw, status, STATUS_MAX_BYTES).decode("utf-8", "replace")
    blocks = _BLOCKS.split(_FOLD.sub(" ", text))[: RECIPIENTS_MAX + 1]
    return [found for found in map(_recipient, blocks) if found is not None]


_KINDS = frozenset({"delivery-status", "global-delivery-status"})
"""RFC 3464, RFC 6533."""


def _recipient(block: str) -> Reported | None:
    fields: dict[str, str] = {}
    for line in block.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    action = fields.get("action", "").lower()
    if not action or not (fields.get("final-recipient") or fields.get("original-recipient")):
        return None
    code = _STATUS.match(fields.get("status", ""))
    return Reported(
        _typed(fields.get("final-recipient", "")),
        action,
        code[1] if code else "",
        _typed(fields.get("diagnostic-code", "")),
    )


def _typed(value: str) -> str:
    """The value behind its type (RFC 3464 2.1.2)."""
    return value.partition(";")[2].strip() or value
