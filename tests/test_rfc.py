"""docs/rfc.md says what the code says: no claim without a row, no row without a place that makes the claim."""

from __future__ import annotations

import re

import pytest

from tests.repository import ROOT, code, tracked

STATES = {"done", "part", "store", "facts"}
ROW = re.compile(r"^\| (\d{3,5}) \| ([^|]+) \| (\w+) \|([^|]*)\| ([^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"\bRFCs? (\d{3,5})\b")
ROWS = ROW.findall((ROOT / "docs" / "rfc.md").read_text())


def test_every_rfc_that_the_code_names_is_in_the_table() -> None:
    listed = {number for number, *_ in ROWS}
    named = {(number, path) for path in code(".py", ".js") for number in NAMED.findall((ROOT / path).read_text())}
    assert {(number, path) for number, path in named if number not in listed} == set()


def test_the_table_has_an_rfc_once_and_a_known_state() -> None:
    numbers = [number for number, *_ in ROWS]
    assert len(numbers) == len(set(numbers)) >= 50
    assert {state for _, _, state, _, _ in ROWS} <= STATES


def test_every_line_of_the_tables_is_a_row() -> None:
    lines = [line for line in (ROOT / "docs" / "rfc.md").read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(lines) == len(ROWS)


@pytest.mark.parametrize(("number", "places"), [(row[0], row[4]) for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_places_of_a_row_name_its_rfc(number: str, places: str) -> None:
    files = re.findall(r"`([^`]+)`", places)
    assert files
    for file in files:
        assert file in tracked()
        assert number in NAMED.findall((ROOT / file).read_text()), file
