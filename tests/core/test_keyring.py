"""Where secret keys come from."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from core.keyring import load_keys

STARTERS = 8
PRINT_KEYS = (
    "import sys; from pathlib import Path; from core.keyring import load_keys; print(load_keys([], Path(sys.argv[1])))"
)


def test_keys_from_the_environment_win_and_leave_no_file(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    assert load_keys(["newest", "older"], path) == ["newest", "older"]
    assert not path.exists()


def test_a_first_run_makes_a_private_ring_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    keys = load_keys([], path)
    assert len(keys) == 1
    assert len(keys[0]) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys([], path) == keys


def test_processes_that_start_at_once_agree_on_one_ring(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PRINT_KEYS, str(tmp_path / "keyring")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(STARTERS)]
    answers = {process.communicate()[0] for process in started}
    assert len(answers) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["keyring"]


def test_an_older_key_may_follow_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    path.write_text("newest\nolder\n")
    assert load_keys([], path) == ["newest", "older"]
