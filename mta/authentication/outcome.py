"""The words for what a check came to (RFC 8601 2.7)."""

from __future__ import annotations

import enum


class Outcome(enum.StrEnum):
    """Results of all methods; each method uses some of them."""

    NONE = "none"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
