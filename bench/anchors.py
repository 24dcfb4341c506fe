"""The known program to compare with: Postfix handing over to Dovecot by LMTP into sdbox, both from Debian.

An instance of each in the temporary folder, on loopback, with the packages' defaults (fsync on); the same client sends
the same mails as in `smtp_in`, and a mail counts when its file lies in the mailbox. Needs root, because both do.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import smtp_in
from bench.processes import take_priority
from bench.report import report
from bench.site import DOMAIN
from core.ports import free_port

PACKAGES = "postfix dovecot-core dovecot-lmtpd"
MASTER = Path("/usr/share/postfix/master.cf.dist")
WAIT_S = 60.0

DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/run
instance_name = globalmail-bench
listen = 127.0.0.1
protocols = lmtp
ssl = no
log_path = {folder}/dovecot.log
mail_location = sdbox:~/sdbox
auth_username_format = %Ln
first_valid_uid = 1
passdb {{
  driver = static
  args = password=bench
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%u allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service stats {{
  client_limit = 5000
}}
"""
POSTFIX = """
compatibility_level = 3.6
queue_directory = {folder}/postfix/spool
data_directory = {folder}/postfix/data
maillog_file = {folder}/postfix/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = anchor.bench.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
smtp_dns_support_level = disabled
smtpd_recipient_restrictions = permit_mynetworks, reject
"""


def main(*, full: bool) -> None:
    """The rows of `smtp_in` for Postfix and Dovecot, or why there are none."""
    if not can_run("anchors"):
        return
    rounds, count = (5, 3_000) if full else (3, 1_000)
    folder = Path(os.environ["DATA_DIR"])
    with servers(folder) as anchor:
        rows = []
        for connections in (10, 1):
            found = [anchor.round(connections, count, first=(n + 1) * 10**6) for n in range(rounds)]
            rows.append(smtp_in.median(found, connections, count))
    report("anchors", "Postfix → Dovecot LMTP, sdbox", rows, rounds=rounds)


def can_run(name: str) -> bool:
    """Whether both are here; says so where they are not."""
    if os.geteuid() == 0 and MASTER.exists() and shutil.which("dovecot") and shutil.which("postfix"):
        return True
    print(f"== {name}: skipped; as root on Debian: apt-get install {PACKAGES}", flush=True)
    return False


class Anchor:
    """The pair of servers as something that can be sent to."""

    def __init__(self, folder: Path, port: int) -> None:
        self.mail = folder / "mail"
        self.port = port
        pids = (folder / "run" / "master.pid", folder / "postfix" / "spool" / "pid" / "master.pid")
        self.pids = [int(path.read_text()) for path in pids]

    def round(self, connections: int, count: int, *, first: int) -> dict[str, Any]:
        """As `smtp_in.send`, but over when the last mail lies in its mailbox."""
        before = self._stored()
        found = smtp_in.send(
            self.port, self.pids, connections, count, first=first, until=lambda: self._all(before + count)
        )
        found["visible"] = self._stored() - before
        return found

    def _all(self, wanted: int) -> None:
        deadline = time.monotonic() + WAIT_S
        while self._stored() < wanted and time.monotonic() < deadline:
            time.sleep(0.02)

    def _stored(self) -> int:
        return sum(
            name.startswith("u.")
            for user in (self.mail.iterdir() if self.mail.exists() else ())
            for name in _names(user / "sdbox" / "mailboxes" / "INBOX" / "dbox-Mails")
        )


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.exists() else []  # noqa: PTH208 - ten thousand names, many times


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[Anchor]:
    """The pair, running and warm."""
    smtp, lmtp = free_port(), free_port()
    configuration = _configure(folder, smtp, lmtp)
    dovecot = ["dovecot", "-c", str(folder / "dovecot.conf")]
    postfix = ["postfix", "-c", str(configuration)]
    subprocess.run(dovecot, check=True, start_new_session=True)
    try:
        subprocess.run([*postfix, "start"], check=True, capture_output=True)
        _wait(folder / "postfix" / "spool" / "pid" / "master.pid")
        for path in (folder / "run" / "master.pid", folder / "postfix" / "spool" / "pid" / "master.pid"):
            take_priority(int(path.read_text()))
        time.sleep(0.5)
        anchor = Anchor(folder, smtp)
        anchor.round(4, 200, first=10**9)
        yield anchor
    finally:
        subprocess.run([*postfix, "stop"], check=False, capture_output=True)
        subprocess.run([*dovecot, "stop"], check=False, capture_output=True)


def _wait(path: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while not (path.exists() and path.read_text().strip()):
        if time.monotonic() > deadline:
            raise SystemExit("Postfix did not start")
        time.sleep(0.05)


def _configure(folder: Path, smtp: int, lmtp: int) -> Path:
    """Write both configurations; the folder of Postfix's."""
    folder.chmod(0o755)
    configuration = folder / "postfix" / "etc"
    for each in (configuration, folder / "postfix" / "data", folder / "postfix" / "spool", folder / "mail"):
        each.mkdir(parents=True)
    owner = pwd.getpwnam("postfix")
    os.chown(folder / "postfix" / "data", owner.pw_uid, owner.pw_gid)
    shutil.chown(folder / "mail", "mail", "mail")
    (folder / "dovecot.conf").write_text(DOVECOT.format(folder=folder, lmtp=lmtp))
    (configuration / "main.cf").write_text(POSTFIX.format(folder=folder, lmtp=lmtp, domain=DOMAIN))
    (configuration / "master.cf").write_text(_services(smtp))
    for name in ("postfix-files", "postfix-script", "post-install", "dynamicmaps.cf"):
        if (Path("/etc/postfix") / name).exists():
            shutil.copy(Path("/etc/postfix") / name, configuration / name)
    for name in ("postfix-files.d", "dynamicmaps.cf.d"):
        if (Path("/etc/postfix") / name).exists():
            shutil.copytree(Path("/etc/postfix") / name, configuration / name)
    return configuration


def _services(smtp: int) -> str:
    """Debian's master.cf on our port, nothing in a chroot (the fifth column)."""
    lines = []
    for line in MASTER.read_text().splitlines():
        fields = line.split()
        if line[:1].strip() and not line.startswith("#") and len(fields) >= 8:
            fields[4] = "n"
            fields[0] = f"127.0.0.1:{smtp}" if fields[:2] == ["smtp", "inet"] else fields[0]
            line = " ".join(fields)
        lines.append(line)
    return "\n".join(lines) + "\n"
