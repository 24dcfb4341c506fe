"""offlineimap3: two-way with a Maildir."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.access import Access
from mailstore.models import Entry, Flag, Role
from mailstore.services.entries import move, set_flags
from tests.mailaccess.conftest import Running
from tests.mailaccess.programs.conftest import ADDRESS, PASSWORD, Home
from tests.mailstore.letters import folder_id, letter, stored

RC = """
[general]
accounts = ours
metadata = {home}/state
ui = basic

[Account ours]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {home}/mail
utf8foldernames = no

[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {address}
remotepass = {password}
ssl = yes
sslcacertfile = {certificate}
"""


@pytest.fixture
def rc(home: Home, imap_server: Running, certificate: str, mine: Access) -> str:
    """The configuration's path."""
    text = RC.format(port=imap_server.tls, address=ADDRESS, password=PASSWORD, certificate=certificate, home=home.path)
    return str(home.write("offlineimaprc", text))


def mails(home: Home, folder: str) -> dict[str, Path]:
    """Message-ID's name to file."""
    found = {}
    for path in (home.path / "mail" / folder).glob("*/*"):
        found[path.read_bytes().partition(b"Message-ID: <")[2].partition(b"@")[0].decode()] = path
    return found


def test_both_ends_come_to_the_same(home: Home, rc: str, mine: Access) -> None:
    sync = ("offlineimap", "-c", rc, "-o", "-1")
    one, two = (stored(mine, letter(name)) for name in ("one", "two"))
    home.run(*sync)
    assert set(mails(home, "INBOX")) == {"one", "two"}
    set_flags(mine, [one], add=Flag.FLAGGED)
    move(mine, [two], folder_id=folder_id(mine, Role.TRASH))
    (home.path / "mail" / "INBOX" / "cur" / "1700000000_0.1.host:2,S").write_bytes(
        letter("three").replace(b"\r\n", b"\n")
    )
    home.run(*sync)
    home.run(*sync)
    assert mails(home, "INBOX")["one"].name.endswith(":2,F")
    assert set(mails(home, "INBOX")) == {"one", "three"}
    assert set(mails(home, "Trash")) == {"two"}
    mails(home, "INBOX")["one"].unlink()
    home.run(*sync)
    left = Entry.objects.filter(folder_id=folder_id(mine, Role.INBOX))
    assert [row.flags for row in left] == [Flag.SEEN]
