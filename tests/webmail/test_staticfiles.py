"""Hashed names: every file can be collected, and our modules find each other under them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command


@pytest.fixture
def collected(tmp_path: Path, settings: Any) -> Path:
    """What a production server serves."""
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "webmail.staticfiles.Storage"}}
    call_command("collectstatic", "--noinput", verbosity=0)
    return tmp_path


def test_our_modules_import_each_other_by_hashed_names_that_exist(collected: Path) -> None:
    (app,) = (path for path in (collected / "js").glob("app.*.js") if path.name.count(".") == 2)
    waiting, seen = [app], set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        names = re.findall(r"""(?:from|import)\s*\(?["'](\.[^"']+)["']""", module.read_text())
        for name in names:
            found = (module.parent / name).resolve()
            assert re.search(r"\.[0-9a-f]{12}\.js$", name), (module.name, name)
            assert found.exists(), name
            waiting += [found] if found not in seen else []
    assert len(seen) > 8
