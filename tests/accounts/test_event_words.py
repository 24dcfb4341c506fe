"""Every recorded act has words."""

from __future__ import annotations

import re
from pathlib import Path

from accounts.event_words import ACTS

ROOT = Path(__file__).parent.parent.parent


def test_every_act_that_is_recorded_has_a_label() -> None:
    paths = [path for package in ("accounts", "mta", "mailaccess") for path in (ROOT / package).rglob("*.py")]
    source = "".join(path.read_text() for path in paths if "migrations" not in path.parts)
    recorded = set(re.findall(r'audit\(\s*\w+,\s*"(\w+)"', source)) | {"suspend_account", "restore_account"}
    recorded |= set(re.findall(r'"action": "(\w+)"', source)) | set(re.findall(r'\(\w+, "(\w+)", actor', source))
    assert recorded == set(ACTS)
