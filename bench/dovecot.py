"""Dovecot from Debian beside ours: IMAP, POP3 and LMTP in the clear on loopback, mail in sdbox or Maildir."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.corpus import letter
from bench.imap_tasks import Target
from bench.mail_client import Imap
from bench.processes import take_priority
from core.ports import free_port

PACKAGES = "dovecot-imapd dovecot-pop3d"
PASSWORD = "bench"
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
instance_name = globalmail-bench
listen = 127.0.0.1
protocols = imap pop3
ssl = no
disable_plaintext_auth = no
log_path = {folder}/dovecot.log
mail_location = {location}
first_valid_uid = 1
mail_max_userip_connections = 5000
passdb {{
  driver = static
  args = password=bench
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap {{
  process_limit = 2000
}}
service stats {{
  client_limit = 5000
}}
"""
LOCATIONS = {"sdbox": "sdbox:~/sdbox", "Maildir": "maildir:~/Maildir"}
GROUP = 100


def is_here() -> bool:
    """Whether it can be started: it wants root."""
    libraries = Path("/usr/lib/dovecot")
    return (
        os.geteuid() == 0
        and bool(shutil.which("dovecot"))
        and all((libraries / name).exists() for name in ("imap", "pop3"))
    )


@contextlib.contextmanager
def running(folder: Path, kind: str, count: int) -> Iterator[tuple[Target, int]]:
    """A server whose `user0` has `count` mails, and the pid of its master."""
    folder.mkdir(parents=True)
    for each in (folder.parent, folder):
        each.chmod(0o755)
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "mail", "mail")
    imap, pop3 = free_port(), free_port()
    text = CONFIGURATION.format(folder=folder, location=LOCATIONS[kind], imap=imap, pop3=pop3)
    (folder / "dovecot.conf").write_text(text)
    command = ["dovecot", "-c", str(folder / "dovecot.conf")]
    subprocess.run(command, check=True, start_new_session=True)
    try:
        _wait(folder / "run" / "master.pid")
        master = int((folder / "run" / "master.pid").read_text())
        take_priority(master)
        time.sleep(0.5)
        _fill(imap, count)
        yield Target(imap, pop3, "user0", PASSWORD, tuple(f"user{number}" for number in range(1, 10))), master
    finally:
        subprocess.run([*command, "stop"], check=False, capture_output=True)


def _fill(port: int, count: int) -> None:
    client = Imap(port, "user0", PASSWORD)
    for begin in range(0, count, GROUP):
        letters = [letter(number % 2_000) for number in range(begin, min(count, begin + GROUP))]
        client.say(b"APPEND INBOX" + b"".join(b" {%d+}\r\n%b" % (len(each), each) for each in letters))
    client.close()


def _wait(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        if time.monotonic() > deadline:
            raise SystemExit("Dovecot did not start")
        time.sleep(0.05)
