"""Thunderbird: it finds its folders, hears of new mail, marks, stars, tags, copies, moves, deletes, saves a draft."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from core.access import Access
from mailaccess.imap.feed import feed
from mailstore.models import Entry, Flag, Role
from mailstore.selectors.keywords import keywords
from mailstore.services.entries import purge, set_flags
from tests.mailaccess.conftest import Running
from tests.mailaccess.programs.conftest import Home
from tests.mailaccess.programs.thunderbird import Thunderbird, add_account, running
from tests.mailstore.letters import folder_id, letter, stored

PATIENCE_S = 60
FIRST_SYNC = """
await until("folders", async () => { server().performExpand(null); await pause(200); return folder("Inbox"); });
await updated(folder("Inbox"));
await until("mails", () => folder("Inbox").getTotalMessages(false) == 3);
return subjects(folder("Inbox"));
"""
CHANGES = """
const inbox = folder("Inbox");
inbox.markMessagesRead([named(inbox, "two")], true);
inbox.markMessagesFlagged([named(inbox, "two")], true);
inbox.addKeywordsToMessages([named(inbox, "two")], "$label4");
const copied = (name, move) => new Promise((resolve, reject) => MailServices.copy.copyMessages(
  inbox, [named(inbox, name)], folder("Trash"), move, {
    onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
    onStopCopy: code => code ? reject(code) : resolve(),
  }, null, false));
await copied("two", false);
await copied("three", true);
"""
SAVES = """
const path = PathUtils.join(PathUtils.profileDir, "draft.eml");
await IOUtils.writeUTF8(path, text);
const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
file.initWithPath(path);
await new Promise((resolve, reject) => MailServices.copy.copyFileMessage(
  file, folder("Drafts"), null, true, Ci.nsMsgMessageFlags.Read, "", {
    onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
    onStopCopy: code => code ? reject(code) : resolve(),
  }, null));
"""


def in_time(what: Callable[[], bool]) -> None:
    """The server comes to know of it."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def waits(access: Access) -> bool:
    """Whether it has nothing left to do but to listen."""
    quiet = feed.is_heard(access.mailbox)
    time.sleep(0.2)
    return quiet and feed.is_heard(access.mailbox)


def flags(entry_id: int) -> int:
    """As they are stored."""
    return Entry.objects.get(pk=entry_id).flags


def subjects(access: Access, role: Role) -> list[int]:
    """Entries of a folder."""
    return list(Entry.objects.filter(folder_id=folder_id(access, role)).order_by("uid").values_list("pk", flat=True))


def shows(program: Thunderbird, server: Running, access: Access, condition: str) -> None:
    """Without being told to look, it comes to show something of the inbox: it waits in IDLE."""
    server.hint(access.mailbox)
    program.run(f'const inbox = folder("Inbox"); await until("news", () => {condition});')


def test_thunderbird_keeps_step_with_the_mailbox(
    home: Home, imap_server: Running, certificate: str, mine: Access
) -> None:
    one, two, three = (stored(mine, letter(name, subject=name)) for name in ("one", "two", "three"))
    with running(home) as program:
        add_account(program, port=imap_server.tls, certificate=Path(certificate))
        assert program.run(FIRST_SYNC) == ["one", "three", "two"]
        in_time(lambda: waits(mine))
        set_flags(mine, [one], add=Flag.FLAGGED)
        new = stored(mine, letter("new", subject="预算 Budget"))
        shows(program, imap_server, mine, 'named(inbox, "预算 Budget") && named(inbox, "one").isFlagged')
        program.run(CHANGES)
        in_time(lambda: flags(two) == Flag.SEEN | Flag.FLAGGED and not Entry.objects.filter(uid=3, pk=three).exists())
        tag = next(row for row in keywords(mine) if row.atom == "$label4")
        assert Entry.objects.get(pk=two).keywords == 1 << tag.bit
        assert len(subjects(mine, Role.TRASH)) == 2
        assert subjects(mine, Role.INBOX) == [one, two, new]
        in_time(lambda: waits(mine))
        purge(mine, [one])
        shows(program, imap_server, mine, '!named(inbox, "one")')
        program.run(SAVES, text=letter("draft", subject="A draft").decode())
        assert len(subjects(mine, Role.DRAFTS)) == 1
        assert flags(subjects(mine, Role.DRAFTS)[0]) & Flag.SEEN
