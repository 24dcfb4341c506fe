"""An installation of its own for a test: a DATA_DIR or a PostgreSQL database, and our commands run in it as processes."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings


@dataclasses.dataclass(frozen=True)
class Installation:
    """`run` raises for a command that fails, `start` doesn't wait."""

    data_dir: Path
    database_url: str = ""

    def environment(self) -> dict[str, str]:
        """What its processes see."""
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEYS")}
        kept |= {"DATA_DIR": str(self.data_dir), "DJANGO_SETTINGS_MODULE": "webmail.settings", "LOG_LEVEL": "WARNING"}
        return kept | ({"DATABASE_URL": self.database_url} if self.database_url else {})

    def start(self, *arguments: str, module: str = "") -> subprocess.Popen[str]:
        """A command, or a module of the tests."""
        program = ["-m", module] if module else ["manage.py"]
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=settings.BASE_DIR, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What a command printed, errors included."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        assert bool(process.returncode) == fails, out + err
        return out + err

    def script(self, text: str) -> str:
        """What a piece of Python printed, with Django set up."""
        return self.run("shell", "-v", "0", "-c", text)
