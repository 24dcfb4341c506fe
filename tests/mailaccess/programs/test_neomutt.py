"""neomutt in a terminal, its keys pushed beforehand."""

from __future__ import annotations

from core.access import Access
from mailstore.models import Entry, Flag, Role
from mailstore.selectors.folders import folder_tree
from tests.mailaccess.conftest import Running
from tests.mailaccess.programs.conftest import ADDRESS, PASSWORD, Home
from tests.mailstore.letters import folder_id, letter, stored

RC = """
set folder = "imaps://127.0.0.1:{port}/"
set spoolfile = "+INBOX"
set imap_user = "{address}"
set imap_pass = "{password}"
set certificate_file = {certificate}
set ssl_verify_host = no
set imap_qresync = {qresync}
set imap_idle = yes
set header_cache = {home}/cache
set confirmappend = no
set confirmcreate = no
set delete = yes
set quit = yes
set move = no
set wait_key = no
set mark_old = no
"""


def test_flags_copies_and_deletions_arrive(home: Home, imap_server: Running, certificate: str, mine: Access) -> None:
    one, two, three = (stored(mine, letter(name, subject=name)) for name in ("one", "two", "three"))
    for qresync, keys in (
        ("no", "<first-entry><flag-message><delete-message><quit>"),
        ("yes", "<last-entry><display-message><exit><copy-message>=Archive<enter><quit>"),
    ):
        text = RC.format(
            port=imap_server.tls, address=ADDRESS, password=PASSWORD, certificate=certificate, home=home.path,
            qresync=qresync,
        )  # fmt: skip
        home.in_terminal("neomutt", "-n", "-F", str(home.write("muttrc", text)), "-e", f"push '{keys}'")
    assert Entry.objects.get(pk=one).flags == Flag.FLAGGED
    assert not Entry.objects.filter(pk=two, folder_id=folder_id(mine, Role.INBOX)).exists()
    assert Entry.objects.get(pk=three).flags & Flag.SEEN
    archive = next(row for row in folder_tree(mine) if row.name == "Archive")
    assert archive.total == 1
