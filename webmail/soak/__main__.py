"""The inside of a run: `manage.py soak` starts this with the environment of the temporary installation."""

from __future__ import annotations

import argparse
import os
import sys

import django


def main() -> int:
    """Run; 1 when a rule was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--every", type=float, nargs=2, required=True)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    django.setup()
    from webmail.soak.run import run  # models need Django set up first

    violations = run(
        seconds=given.seconds,
        seed=given.seed,
        sink_port=int(os.environ["SINK_PORT"]),
        every_s=tuple(given.every),
        say=say,
    )
    for violation in violations:
        say(f"VIOLATION {violation}")
    return 1 if violations else 0


def say(line: str) -> None:
    """Progress, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
