"""The published test suite of RFC 7208 (openspf.org, 2014.04), every case; `deploy/bootstrap.py --dev` fetches it."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from mta.authentication.resolver import FAILED, NOTHING, Answer, Look, Status
from mta.authentication.spf import check_spf

KNOWN_MISSES: dict[str, str] = {}
"""Case to the reason why another answer is right. There is none."""


def suite() -> list[dict[str, Any]]:
    [archive] = (Path(sys.prefix) / "suites").glob("pyspf-*.tar.gz")
    with tarfile.open(archive) as opened:
        [member] = [name for name in opened.getnames() if name.endswith("/rfc7208-tests.yml")]
        file = opened.extractfile(member)
        assert file is not None
        return [scenario for scenario in yaml.safe_load_all(file.read()) if scenario]


SCENARIOS = suite()
CASES = [(scenario, name) for scenario in SCENARIOS for name in scenario["tests"]]


def zone(data: dict[str, list[Any]]) -> Look:
    """The suite's way of writing zones: SPF records count as TXT where a name has no TXT of its own."""
    names = {name.lower(): entries for name, entries in data.items()}

    def look(name: str, kind: str, depth: int = 0) -> Answer:
        entries = names.get(name.lower().rstrip("."), [])
        pairs = [pair for entry in entries if entry != "TIMEOUT" for pair in entry.items()]
        if (kind, "TIMEOUT") in pairs:
            return FAILED
        if kind == "TXT" and not any(found == "TXT" for found, _ in pairs):
            pairs = [("TXT" if found == "SPF" else found, value) for found, value in pairs]
        records = tuple(record(kind, value) for found, value in pairs if found == kind and value != "NONE")
        alias = next((value for found, value in pairs if found == "CNAME"), None)
        if not records and "TIMEOUT" in entries:
            return FAILED
        if not records and alias and depth < 10:
            return look(alias, kind, depth + 1)
        return Answer(Status.FOUND, records) if records else NOTHING

    return look


def record(kind: str, value: Any) -> Any:
    if kind == "TXT":
        return "".join(value if isinstance(value, list) else [value]).encode()
    return (int(value[0]), str(value[1])) if kind == "MX" else str(value)


@pytest.mark.parametrize(("scenario", "name"), CASES, ids=[name for _, name in CASES])
def test_a_case_of_the_suite_has_the_result_it_wants(scenario: dict[str, Any], name: str) -> None:
    case = scenario["tests"][name]
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    found = check_spf(zone(scenario["zonedata"]), str(case["host"]), str(case["helo"]), str(case["mailfrom"]))
    assert found.outcome in wanted or name in KNOWN_MISSES


def test_the_suite_is_all_there_and_misses_are_under_one_in_a_hundred() -> None:
    assert len(CASES) >= 200
    assert len(KNOWN_MISSES) * 100 <= len(CASES)
    assert KNOWN_MISSES.keys() <= {name for _, name in CASES}
