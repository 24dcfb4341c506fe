"""mbsync (isync): two-way between our IMAP server and a Maildir."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.access import Access, system_access
from mailstore.models import Entry, Flag, Role
from mailstore.selectors.entries import raw
from mailstore.selectors.folders import folder_tree
from mailstore.services.entries import move, purge, set_flags
from mailstore.services.folders import create_folder
from tests.mailaccess.conftest import Running
from tests.mailaccess.programs.conftest import ADDRESS, PASSWORD, Home
from tests.mailstore.letters import folder_id, letter, stored

RC = """
IMAPAccount ours
Host 127.0.0.1
Port {port}
User {address}
Pass "{password}"
SSLType IMAPS
CertificateFile {certificate}
SystemCertificates no

IMAPStore far
Account ours

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


@pytest.fixture
def rc(home: Home, imap_server: Running, certificate: str, mine: Access) -> str:
    """The configuration's path."""
    (home.path / "mail").mkdir()
    text = RC.format(port=imap_server.tls, address=ADDRESS, password=PASSWORD, certificate=certificate, home=home.path)
    return str(home.write("mbsyncrc", text))


def mails(home: Home, folder: str) -> dict[str, Path]:
    """Message-ID's name to file."""
    found = {}
    for path in sorted((home.path / "mail" / folder).glob("*/*")):
        if path.parent.name in ("cur", "new"):
            found[path.read_bytes().partition(b"Message-ID: <")[2].partition(b"@")[0].decode()] = path
    return found


def names(folder: int) -> set[str]:
    """Message-ID's names in one of our folders."""
    rows = Entry.objects.filter(folder_id=folder)
    return {
        raw(system_access(row.mailbox_id), row.pk).partition(b"Message-ID: <")[2].partition(b"@")[0].decode()
        for row in rows
    }


def test_both_ends_come_to_the_same_whatever_changed_where(home: Home, rc: str, mine: Access) -> None:
    sync = ("mbsync", "-c", rc, "-a")
    inbox = folder_id(mine, Role.INBOX)
    work = create_folder(mine, "项目")
    one, two, three = (stored(mine, letter(name)) for name in ("one", "two", "three"))
    home.run(*sync)
    assert set(mails(home, "INBOX")) == {"one", "two", "three"}

    # Here: a flag, a move, a removal. There: a flag, a new mail, a move, a removal.
    set_flags(mine, [one], add=Flag.FLAGGED)
    move(mine, [two], folder_id=work)
    there = mails(home, "INBOX")["three"]
    there.rename(there.parent.parent / "cur" / (there.name.partition(":")[0] + ":2,RS"))
    fresh = home.path / "mail" / "INBOX" / "cur" / "1700000000.1.host:2,"
    fresh.write_bytes(letter("four").replace(b"\r\n", b"\n"))
    home.run(*sync)
    assert ":2,F" in mails(home, "INBOX")["one"].name
    assert set(mails(home, "INBOX")) == {"one", "three", "four"}
    assert [name for path in (home.path / "mail").iterdir() if "two" in (name := "".join(mails(home, path.name)))]
    assert Entry.objects.get(pk=three).flags == Flag.SEEN | Flag.ANSWERED
    assert names(inbox) == {"one", "three", "four"}

    mails(home, "INBOX")["one"].unlink()
    purge(mine, [three])
    home.run(*sync)
    assert set(mails(home, "INBOX")) == {"four"} == names(inbox)
    home.run(*sync)
    assert set(mails(home, "INBOX")) == {"four"} == names(inbox)
    assert names(work) == {"two"}


def test_folders_made_and_removed_there(home: Home, rc: str, mine: Access) -> None:
    sync = ("mbsync", "-c", rc, "-a")
    home.run(*sync)
    for name in ("cur", "new", "tmp"):
        (home.path / "mail" / "Made there" / name).mkdir(parents=True)
    home.run(*sync)
    assert "Made there" in {row.name for row in folder_tree(mine)}
