"""What is in the repository, as git sees it: tests of the tree itself start here."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def tracked() -> frozenset[str]:
    """Every file that is in git or would be with `git add --all`; in an export without git, every file."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = listed.stdout.splitlines() if listed.returncode == 0 else _walked()
    return frozenset(each for each in found if (ROOT / each).is_file())


def code(*suffixes: str) -> list[str]:
    """The files of the product with one of these endings: no tests, no migrations."""
    return sorted(
        path
        for path in tracked()
        if path.endswith(suffixes) and not path.startswith("tests/") and "/migrations/" not in path
    )


def _walked() -> list[str]:
    made = {".venv", "node_modules", "staticfiles", "data", "shots", "vendor", ".git"}
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [str(path) for path in paths if made.isdisjoint(path.parts)]
