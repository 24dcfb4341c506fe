"""imaplib, IMAPClient and poplib: what Python's scripts do."""

from __future__ import annotations

import datetime
import imaplib

from imapclient import IMAPClient
from imapclient.imapclient import MailboxQuotaRoots

from core.access import Access
from mailstore.models import Entry
from tests.dialogue import client_tls
from tests.mailaccess.conftest import Running
from tests.mailaccess.programs.conftest import ADDRESS, PASSWORD
from tests.mailstore.letters import letter, stored


def opened(server: Running) -> IMAPClient:
    """IMAPClient, signed in."""
    client = IMAPClient("127.0.0.1", port=server.tls, ssl=True, ssl_context=client_tls(), timeout=60)
    client.login(ADDRESS, PASSWORD)
    return client


def test_imapclient_goes_through_everything_it_knows(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("one", subject="预算"))
    with opened(imap_server) as client:
        assert client.has_capability("IDLE")
        client.create_folder("项目/2026")
        assert "项目/2026" in {name for _, _, name in client.list_folders()}
        assert client.find_special_folder(b"\\Sent") == "Sent"
        assert client.namespace().personal
        assert client.select_folder("INBOX")[b"EXISTS"] == 1
        found = client.fetch([1], ["ENVELOPE", "FLAGS", "INTERNALDATE", "BODYSTRUCTURE", "BODY.PEEK[TEXT]"])[1]
        assert found[b"ENVELOPE"].message_id == b"<one@letters.test>"
        assert found[b"BODY[TEXT]"] == b"Dear all\r\n"
        client.add_flags([1], [b"\\Flagged", b"Project"])
        assert set(client.get_flags([1])[1]) == {b"\\Recent", b"\\Flagged", b"Project"}
        client.copy([1], "项目/2026")
        assert client.folder_status("项目/2026")[b"MESSAGES"] == 1
        client.move([1], "项目/2026")
        client.append("INBOX", letter("two"), flags=[b"\\Seen"])
        assert client.idle() is None
        client.idle_check(timeout=0.1)
        client.idle_done()
        client.delete_messages([2])
        client.expunge()
        client.rename_folder("项目/2026", "项目/2027")
        client.delete_folder("项目/2027")
    assert Entry.objects.count() == 0


def test_imapclient_searches_sorts_and_threads(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("one", subject="预算 b"))
    stored(mine, letter("two", subject="Re: 预算 a", references=["one"]))
    stored(mine, letter("three", subject="Lunch", body="Ende"))
    with opened(imap_server) as client:
        client.select_folder("INBOX")
        assert client.search(["SUBJECT", "预算"], charset="UTF-8") == [1, 2]
        assert client.search(["UNSEEN", "NOT", ["SUBJECT", "Lunch"]]) == [1, 2]
        assert client.search(["OR", "TEXT", "Ende", "UID", "1"]) == [1, 3]
        assert client.search(["SINCE", datetime.date(2020, 1, 1), "SAVEDSINCE", datetime.date(2020, 1, 1)]) == [1, 2, 3]
        assert client.search().modseq is None
        assert client.search(["MODSEQ", "1"]).modseq
        assert client.sort("REVERSE SUBJECT") == [1, 2, 3]
        assert client.sort(["REVERSE", "ARRIVAL"]) == [3, 2, 1]
        assert client.thread("REFERENCES") == ((1, 2), (3,))


def test_imapclient_reads_the_quota(imap_server: Running, mine: Access) -> None:
    with opened(imap_server) as client:
        roots, quotas = client.get_quota_root("INBOX")
        assert isinstance(roots, MailboxQuotaRoots)
        assert quotas[0].limit > 0


def test_imaplib_appends_stores_and_fetches_by_uid(imap_server: Running, mine: Access) -> None:
    client = imap_server.imap()
    assert client.append("INBOX", "(\\Seen)", imaplib.Time2Internaldate(1_700_000_000), letter("one"))[0] == "OK"
    assert client.select()[1] == [b"1"]
    typ, data = client.uid("FETCH", "1", "(INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    assert typ == "OK"
    assert b"Subject" in data[0][1]
    assert imaplib.Internaldate2tuple(data[0][0]) is not None
    assert client.uid("STORE", "1", "+FLAGS.SILENT", "(\\Deleted)")[0] == "OK"
    assert client.expunge()[1] == [b"1"]
    assert client.list()[0] == client.lsub()[0] == client.noop()[0] == "OK"
    client.logout()
