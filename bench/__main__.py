"""`python -m bench [program …] [--full]`: run programs one after the other, each on its own installation."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.run_tests import postgres

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = {
    "store": "the store alone: groups of 64 on one core",
    "flags": "flags on one, a thousand and all entries of growing folders",
    "moves": "move, copy, expunge into recovery and recover in growing folders",
    "mixed": "20 readers, a stream of deliveries and flag writers together",
    "disk": "bytes on the disk for mails of 8 KB and larger, with and without the search index",
    "smtp_in": "SMTP to mailbox: 1 and 10 connections into a real smtpd",
    "imap_search": "SEARCH, SORT and THREAD over IMAP as a folder grows, and in Dovecot",
    "judging": "SPF, DKIM, DMARC and ARC of a received mail, signing of a sent one: CPU for each",
    "outgoing": "signed mails to one destination, and one mail to 10,000 recipients into the queue",
    "search": "the search index: cost, questions, lag",
    "queries": "a page of 50 rows from the store: any depth, every filter and order, in growing folders",
    "list_page": "list pages at the head, the middle and the end of a folder, in-process and through the web server",
    "open_message": "a message opened in the pane, as a page, and its body",
    "imap": "IMAP and POP3 as mail programs use them, beside Dovecot where it can be started",
    "anchors": "Postfix handing over to Dovecot (LMTP, sdbox): the same mails from the same client",
    "beside": "our smtpd and Postfix with Dovecot in turn, round by round: how many times as fast",
}
WITH_FULL = {"anchors", "beside"}
"""For the full set only; their database is none of ours, or SQLite."""


def main() -> int:
    """The exit code of the first program that failed."""
    options = _options()
    worst = 0
    for name in options.programs or [each for each in PROGRAMS if each not in WITH_FULL or options.full]:
        databases = ["sqlite", "postgres"] if options.database == "both" else [options.database]
        for database in databases if name not in WITH_FULL else ["sqlite"]:
            worst = _run(name, database, options) or worst
    return worst


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="\n".join(f"{name:13} {what}" for name, what in PROGRAMS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("programs", nargs="*", choices=[*PROGRAMS, []], metavar="program")
    parser.add_argument(
        "--full", action="store_true", help="folders of up to a million, longer runs, and Postfix + Dovecot"
    )
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="sqlite")
    return parser.parse_args()


def _run(name: str, database: str, options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="gmb-") as folder, _database(database) as url:
        if url is None:
            print(f"== {name}: skipped, no PostgreSQL server found (Debian: postgresql)", flush=True)
            return 0
        environment = os.environ | {
            "DATA_DIR": folder,
            "DATABASE_URL": url,
            "STATIC_ROOT": f"{folder}/static",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "webmail.settings",
        }
        command = [sys.executable, "-m", "bench.inside", name, *(["--full"] if options.full else [])]
        return subprocess.run(command, cwd=ROOT, env=environment, start_new_session=True, check=False).returncode


@contextlib.contextmanager
def _database(name: str) -> Iterator[str | None]:
    if name == "sqlite":
        yield ""
        return
    with postgres(is_durable=True) as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
