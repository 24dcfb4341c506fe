"""Envelope senders of forwarded mail."""

from __future__ import annotations

import pytest

from mta.srs import DAY_S, VALID_DAYS, account_of, rewritten

NOW_S = 1_800_000_000.0


def test_only_what_we_made_leads_back_and_only_for_a_month() -> None:
    address = rewritten(77, "example.test", NOW_S)
    assert address.startswith("SRS0=")
    assert len(address.partition("@")[0]) <= 64
    for seen in (address, address.upper(), address.lower()):
        assert account_of(seen, NOW_S + VALID_DAYS * DAY_S) == 77
        assert account_of(seen, NOW_S + (VALID_DAYS + 1) * DAY_S) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("=4d@", "=4e@"),
        lambda text: text.replace("@example", "@other"),
        lambda text: text.replace("SRS0", "SRS1"),
        lambda text: text.replace("=4d@", "=4d=5@"),
        lambda text: text.replace("=4d@", "=zz@"),
        lambda text: text[:6] + "é" + text[7:],
        lambda text: "",
    ],
)
def test_nothing_else_does(change: object) -> None:
    assert account_of(change(rewritten(77, "example.test", NOW_S)), NOW_S) is None  # type: ignore[operator]
