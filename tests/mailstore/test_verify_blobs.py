"""`verify_blobs`: what is broken is named, what is right is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from core.access import Access
from mailstore import blobs, sql
from mailstore.objects import objects
from mailstore.verify_blobs import verify_blobs
from tests.mailstore.letters import letter, stored


@pytest.fixture(autouse=True)
def own_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks_rows: None) -> Path:
    """Objects of this test alone."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "blobs"


@pytest.fixture
def filled(mine: Access) -> int:
    """Small mails and one with an object; the blob of the last small one."""
    stored(mine, letter("large", body=os.urandom(400_000).hex()))
    for number in range(3):
        stored(mine, letter(f"n{number}"))
    return int(sql.row("SELECT max(id) FROM mailstore_blob")[0])


def checks() -> set[str]:
    """What is found."""
    return {finding.check for finding in verify_blobs().findings}


def test_a_whole_store_has_no_findings_and_the_command_says_so(filled: int, capsys: pytest.CaptureFixture[str]) -> None:
    result = verify_blobs()
    assert (result.findings, result.blobs, result.objects, result.unreferenced) == ([], 4, 1, 0)
    call_command("verify_blobs")
    assert "4 blobs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("breaking", "check"),
    [
        ("UPDATE mailstore_blob SET data = NULL, key = 'aa/none' WHERE id = %s", "blob can't be read"),
        ("UPDATE mailstore_blob SET data = (SELECT data FROM mailstore_blob WHERE id < {0} AND key = '' LIMIT 1) WHERE id = %s", "blob hash"),
        ("UPDATE mailstore_blob SET codec = 0 WHERE id = %s", "blob hash"),
        ("DELETE FROM mailstore_blob WHERE id = %s", "blob of message"),
    ],
)  # fmt: skip
def test_broken_rows_are_named(filled: int, breaking: str, check: str, capsys: pytest.CaptureFixture[str]) -> None:
    sql.run(breaking.format(filled), [filled])
    assert check in checks()
    with pytest.raises(SystemExit):
        call_command("verify_blobs")
    assert str(filled) in capsys.readouterr().out


def test_a_damaged_and_a_lost_object_are_named(filled: int, own_objects: Path) -> None:
    (path,) = own_objects.glob("*/*")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    assert checks() & {"blob hash", "blob can't be read"}
    path.unlink()
    assert checks() == {"blob can't be read", "blob object"}


def test_objects_without_a_row_are_counted_and_are_no_finding(filled: int) -> None:
    objects().write("aa/aa", b"left by a crash")
    result = verify_blobs()
    assert (result.findings, result.unreferenced) == ([], 1)


def test_blobs_that_nobody_holds_are_verified_too(filled: int) -> None:
    with transaction.atomic():
        lonely = blobs.put(b"nobody's")
    sql.run("UPDATE mailstore_blob SET size = 3 WHERE id = %s", [lonely])
    assert checks() & {"blob size", "blob hash", "blob can't be read"}
