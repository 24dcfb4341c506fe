"""fetchmail and getmail6 take mail away by POP3 and by IMAP."""

from __future__ import annotations

import getpass
import mailbox
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.access import Access
from mailstore.models import Entry, Recoverable
from tests.mailaccess.conftest import Running
from tests.mailaccess.programs.conftest import ADDRESS, PASSWORD, Home
from tests.mailstore.letters import letter, stored

GETMAIL = """
[retriever]
type = {kind}
server = 127.0.0.1
port = {port}
username = {address}
password = {password}
ssl_cert_hostname =
[destination]
type = Maildir
path = {maildir}/
user = {user}
[options]
delete = true
verbose = 2
read_all = false
"""

WAITING_FOR_CHILDREN = """
import os, pathlib, time

def wait():
    state = pathlib.Path(f"/proc/{os.getppid()}/stat")
    while state.read_text().rpartition(")")[2].split()[0] != "S":
        time.sleep(0.005)

os.register_at_fork(after_in_child=wait)
"""
"""getmail delivers in a child and listens for its end only after the fork: of a child that ends before, it never hears and
waits for three minutes. So each child begins when its parent sleeps."""


def three(mine: Access) -> None:
    """Mails with dots and Chinese."""
    for name in ("one", "two", "three"):
        stored(mine, letter(name, body=f".{name}\r\n中文\r\n."))


def got(maildir: Path) -> list[str]:
    """Message-ID's names in a Maildir."""
    return sorted(str(mail["Message-ID"])[1:].partition("@")[0] for mail in mailbox.Maildir(maildir))


@pytest.fixture(params=["POP3", "IMAP"])
def port(request: pytest.FixtureRequest, transactional_db: None) -> tuple[str, int]:
    """A protocol and its TLS port."""
    server: Running = request.getfixturevalue(f"{request.param.lower()}_server")
    return request.param, server.tls


def test_fetchmail_takes_everything_once(home: Home, port: tuple[str, int], mine: Access) -> None:
    three(mine)
    rc = home.write(
        "fetchmailrc",
        f'poll 127.0.0.1 protocol {port[0]} port {port[1]} user "{ADDRESS}" password "{PASSWORD}" '
        f'ssl no sslcertck fetchall mda "cat >> {home.path}/got.txt"\n',
    )
    home.run("fetchmail", "-f", str(rc), "--nosyslog", "-v")
    text = (home.path / "got.txt").read_text()
    assert [text.count(f"<{name}@letters.test>") for name in ("one", "two", "three")] == [1, 1, 1]
    assert text.count("\n.one\n中文\n.\n") == 1
    assert Entry.objects.count() == 0
    assert Recoverable.objects.count() == 3


@pytest.fixture
def maildir() -> Iterator[tuple[Path, str]]:
    """An empty Maildir and whose it is: getmail never delivers as root."""
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="gm-getmail-"))
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir()
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    yield folder, user
    shutil.rmtree(folder)


def test_getmail_takes_everything_once(
    home: Home, port: tuple[str, int], mine: Access, maildir: tuple[Path, str]
) -> None:
    three(mine)
    kind = {"POP3": "SimplePOP3SSLRetriever", "IMAP": "SimpleIMAPSSLRetriever"}[port[0]]
    text = GETMAIL.format(
        kind=kind, port=port[1], address=ADDRESS, password=PASSWORD, maildir=maildir[0], user=maildir[1]
    )
    rc = home.write(".getmail/getmailrc", text)
    home.write("python/sitecustomize.py", WAITING_FOR_CHILDREN)
    home.run("getmail", "--rcfile", str(rc), "--getmaildir", str(rc.parent))
    assert got(maildir[0]) == ["one", "three", "two"]
    assert Entry.objects.count() == 0
    home.run("getmail", "--rcfile", str(rc), "--getmaildir", str(rc.parent))
    assert len(got(maildir[0])) == 3
