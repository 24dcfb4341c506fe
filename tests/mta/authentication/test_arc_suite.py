"""The published ARC test suite (ValiMail, 2018), every case, as it lies in the source of Debian's libmail-dkim-perl;
`deploy/bootstrap.py --dev` fetches it where the machine's mirror has sources. `test_arc_cases.py` has the same cases, sealed
anew, and needs no archive."""

from __future__ import annotations

import re
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mta.authentication.arc import seal, verify_chain
from mta.authentication.letter import Letter
from mta.authentication.resolver import Look
from mta.authentication.signing import SigningKey
from tests.mta.authentication.zone import looking

SUITES = Path(sys.prefix) / "suites"
OVERRULED = {
    "cv_fail_i1_as_fail": "the suite wants no word at all; RFC 8617 5.2 step 2",
    "cv_fail_i1_as_cv_fail": "the suite wants no word at all; RFC 8617 5.2 step 2",
    "cv_fail_i2_as1_fail": "the suite wants no word at all; RFC 8617 5.2 step 3",
    "cv_fail_i2_as2_fail": "the suite wants no word at all; RFC 8617 5.2 step 2",
    "ams_fields_c_na": "relaxed was the draft's default; it is simple (RFC 6376 3.5)",
    "ams_fields_h_empty": "RFC 6376 6.1.1: From must be signed",
    "as_fields_a_sha1": "RFC 8301 3.1",
    "ams_fields_a_sha1": "RFC 8301 3.1",
    "as_fields_b_512": "RFC 8301 3.2",
    "arc_set_duplicate": "a set has one field of each kind (RFC 8617 5.2 step 3A)",
}
"""Cases that RFC 8617 answers otherwise than the draft before it: `fail`, each with the reason."""
MISSING = SUITES / "arc.missing"


def suite(kind: str) -> list[dict[str, Any]]:
    archives = list(SUITES.glob("libmail-dkim-perl_*.orig.tar.gz"))
    if not archives:
        return []
    with tarfile.open(archives[0]) as opened:
        [member] = [name for name in opened.getnames() if name.endswith(f"/arc-draft-{kind}-tests.yml")]
        file = opened.extractfile(member)
        assert file is not None
        return [scenario for scenario in yaml.safe_load_all(file.read()) if scenario]


def cases(kind: str) -> list[Any]:
    found = [(scenario, name) for scenario in suite(kind) for name in scenario["tests"]]
    if found:
        return [pytest.param(scenario, name, id=name) for scenario, name in found]
    why = MISSING.read_text() if MISSING.exists() else "run deploy/bootstrap.py --dev"
    return [pytest.param({}, "", id="none", marks=pytest.mark.skip(reason=f"the published suite is not here: {why}"))]


def zone(scenario: dict[str, Any]) -> Look:
    records = scenario.get("txt-records") or scenario.get("txt_records") or {}
    return looking({(name.lower(), "TXT"): [str(text).encode()] for name, text in records.items()})


def letter(case: dict[str, Any]) -> tuple[bytes, Letter]:
    message = re.sub("\r?\n", "\r\n", str(case.get("message") or "\n")).encode()
    return message, Letter.of(message)


@pytest.mark.parametrize(("scenario", "name"), cases("validation"))
def test_a_published_chain_has_the_result_it_wants(scenario: dict[str, Any], name: str) -> None:
    case = scenario["tests"][name]
    wanted = "fail" if name in OVERRULED else str(case["cv"]).strip().lower()
    found = verify_chain(zone(scenario), letter(case)[1])
    assert (str(found.outcome), found.reason) == (wanted, found.reason)


@pytest.mark.parametrize(("scenario", "name"), cases("sign"))
def test_what_is_sealed_has_the_word_that_the_suite_wants_and_passes(scenario: dict[str, Any], name: str) -> None:
    """Which fields are signed is ours to say, so signatures differ from the suite's; instance and cv= must not."""
    case = scenario["tests"][name]
    private = load_pem_private_key(scenario["privatekey"].encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    key = SigningKey(str(scenario["domain"]), str(scenario["sel"]), private)
    message, mail = letter(case)
    chain = verify_chain(zone(scenario), mail)
    made = seal(mail, key, chain, " ".join(str(case.get("auth-res") or "").split()), float(case["t"]))
    wanted = re.findall(r"\b(cv=\w+|i=\d+)", str(case.get("AS") or ""))
    assert sorted(re.findall(rb"\b(cv=\w+|i=\d+)", made.partition(b"b=")[0])) == sorted(
        each.encode() for each in wanted
    )
    if made:
        again = verify_chain(zone(scenario), Letter.of(made + message))
        assert str(again.outcome) == ("fail" if "cv=fail" in wanted else "pass")
