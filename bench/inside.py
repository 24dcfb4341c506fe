"""What `python -m bench` starts for each program: Django on the throwaway installation, then the program's `main`."""

from __future__ import annotations

import argparse
import importlib
import os
from pathlib import Path

import django
from django.conf import settings

from bench.processes import take_priority
from core.processes import freeze_loaded


def main() -> None:
    """Set up, make the schema, run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    take_priority(os.getpid())
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    django.setup()
    program = importlib.import_module(f"bench.{options.program}")
    freeze_loaded()  # as processes that serve do
    program.main(full=options.full)


if __name__ == "__main__":
    main()
