"""The grammar of delivery status requests (RFC 3461 4): values of MAIL and RCPT parameters."""

from __future__ import annotations

import re

ENVID_MAX = 100
ORCPT_MAX = 500
RETURNS = frozenset({"", "FULL", "HDRS"})
WISHES = frozenset({"SUCCESS", "FAILURE", "DELAY"})

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]{1,40};(.+)", re.DOTALL)


def is_envelope_id(text: str) -> bool:
    """Whether it is xtext of a bearable length (4.4)."""
    return len(text) <= ENVID_MAX and _XTEXT.fullmatch(text) is not None


def read_notify(text: str) -> str | None:
    """NOTIFY in its normal form (`NEVER`, or wishes in a fixed order); None for what is not (4.1)."""
    words = text.upper().split(",")
    if words == ["NEVER"]:
        return "NEVER"
    if len(set(words)) != len(words) or not set(words) <= WISHES:
        return None
    return ",".join(sorted(words))


def read_original(text: str) -> str | None:
    """ORCPT as it came when it is well-formed (4.2; RFC 6533 3 for utf-8); None for what is not."""
    found = _ADDRESS_TYPE.fullmatch(text)
    if found is None or len(text) > ORCPT_MAX:
        return None
    return text if text.lower().startswith("utf-8;") or _XTEXT.fullmatch(found[1]) else None


def decode_xtext(text: str) -> str:
    """What xtext stands for."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), text)
