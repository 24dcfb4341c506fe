"""Envelope senders that lead what comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mta.returns import DAY_S, FORWARDED, INDIVIDUAL, VALID_DAYS, Returns

NOW_S = 1_800_000_000.0
KINDS = pytest.mark.parametrize("kind", [FORWARDED, INDIVIDUAL], ids=["forwarded", "individual"])


@KINDS
@pytest.mark.parametrize("number", [77, (1 << 63) - 1], ids=["small", "large"])
def test_only_what_we_made_leads_back_and_only_for_a_month(kind: Returns, number: int) -> None:
    address = kind.address(number, "Example.test", NOW_S)
    assert address.startswith(f"{kind.prefix}=")
    assert len(address.partition("@")[0]) <= 64
    for seen in (address, address.upper(), address.lower()):
        assert kind.number_of(seen, NOW_S + VALID_DAYS * DAY_S) == number
        assert kind.number_of(seen, NOW_S + (VALID_DAYS + 1) * DAY_S) is None


@KINDS
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("=4d@", "=4e@"),
        lambda text: text.replace("@example", "@other"),
        lambda text: "x" + text,
        lambda text: text.replace("=4d@", "=4d=5@"),
        lambda text: text.replace("=4d@", "=zz@"),
        lambda text: text.replace("=4d@", "=-4d@"),
        lambda text: text[:6] + "é" + text[7:],
        lambda text: "",
    ],
)
def test_nothing_else_does(kind: Returns, change: Callable[[str], str]) -> None:
    assert kind.number_of(change(kind.address(77, "example.test", NOW_S)), NOW_S) is None


@KINDS
@pytest.mark.parametrize("number", [0, 1 << 63])
def test_what_no_row_has_leads_nowhere(kind: Returns, number: int) -> None:
    assert kind.number_of(kind.address(number, "example.test", NOW_S), NOW_S) is None


def test_one_kind_is_not_another() -> None:
    address = FORWARDED.address(77, "example.test", NOW_S)
    assert INDIVIDUAL.number_of(address.replace("SRS0=", "verp="), NOW_S) is None
