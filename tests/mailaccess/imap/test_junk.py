"""Mail programs teach what junk is, as the browser does: by MOVE, and by COPY with EXPUNGE."""

from __future__ import annotations

import pytest

from accounts.models import Account
from core.access import system_access
from mailstore.services.deliver import Incoming, Placement, deliver, prepare
from mta.models import SpamLesson
from tests.mailaccess.conftest import Running


@pytest.mark.parametrize("way", ["move", "copy"])
def test_into_junk_and_out_of_it(imap_server: Running, alice: Account, way: str) -> None:
    raw = b"From: x@y.test\r\nSubject: hi\r\nMessage-ID: <1@y.test>\r\n\r\nhi\r\n"
    deliver(Incoming(prepare(raw), [Placement(alice.pk)])).result(20)
    assert system_access(alice.pk).mailbox == alice.pk
    client = imap_server.imap()
    junk = next(line.split()[-1].strip(b'"') for line in client.list()[1] if b"\\Junk" in line).decode()  # type: ignore[union-attr,misc]
    for source, target, wanted in (("INBOX", junk, "spam"), (junk, "INBOX", "ham")):
        client.select(source)
        if way == "move":
            assert client._simple_command("MOVE", "1", target)[0] == "OK"
        else:
            assert client.copy("1", target)[0] == "OK"
            client.store("1", "+FLAGS", "(\\Deleted)")
            client.expunge()
        assert SpamLesson.objects.get().wanted == wanted
    client.logout()
