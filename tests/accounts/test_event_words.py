"""Every recorded act has words."""

from __future__ import annotations

import re
from pathlib import Path

from accounts import services
from accounts.event_words import ACTS
from mailaccess import services as mailaccess_services
from mta import quarantine, services as mta_services


def test_every_act_that_is_recorded_has_a_label() -> None:
    folders = [Path(each.__file__).parent for each in (services, mta_services, mailaccess_services, quarantine)]
    source = "".join(path.read_text() for folder in folders for path in folder.glob("*.py"))
    recorded = set(re.findall(r'audit\(\s*actor,\s*"(\w+)"', source)) | {"suspend_account", "restore_account"}
    recorded |= set(re.findall(r'"action": "(\w+)"', source))
    assert recorded == set(ACTS)
