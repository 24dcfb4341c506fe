"""curl speaks IMAP and POP3."""

from __future__ import annotations

from core.access import Access
from mailstore.models import Entry
from tests.mailaccess.conftest import Running
from tests.mailaccess.programs.conftest import ADDRESS, PASSWORD, Home
from tests.mailstore.letters import letter, stored

LOGIN = ("curl", "-sS", "--insecure", "--user", f"{ADDRESS}:{PASSWORD}")


def test_imap_lists_reads_searches_and_uploads(home: Home, imap_server: Running, mine: Access) -> None:
    stored(mine, letter("one", subject="Hello"))
    url = f"imaps://127.0.0.1:{imap_server.tls}"
    assert '"/" INBOX' in home.run(*LOGIN, url)
    assert "Message-ID: <one@letters.test>" in home.run(*LOGIN, f"{url}/INBOX;MAILINDEX=1")
    assert "Hello" in home.run(*LOGIN, f"{url}/INBOX;UID=1;SECTION=HEADER.FIELDS%20(Subject)")
    path = home.write("new.eml", letter("two").decode())
    home.run(*LOGIN, "-T", str(path), f"{url}/INBOX")
    assert Entry.objects.count() == 2
    assert "EXISTS" in home.run(*LOGIN, "-X", "EXAMINE INBOX", url)


def test_starttls_and_a_wrong_password(home: Home, imap_server: Running, mine: Access) -> None:
    url = f"imap://127.0.0.1:{imap_server.plain}"
    assert '"/" INBOX' in home.run(*LOGIN, "--ssl-reqd", url)
    home.run("curl", "-sS", "--insecure", "--ssl-reqd", "--user", f"{ADDRESS}:wrong", url, fails=True)
    home.run(*LOGIN, url, fails=True)


def test_pop3_lists_reads_and_deletes(home: Home, pop3_server: Running, mine: Access) -> None:
    stored(mine, letter("one", body=".dots\r\n..stay"))
    url = f"pop3s://127.0.0.1:{pop3_server.tls}"
    assert home.run(*LOGIN, url).split() == ["1", str(len(letter("one", body=".dots\r\n..stay")))]
    assert home.run(*LOGIN, f"{url}/1").endswith(".dots\r\n..stay\r\n")
    home.run(*LOGIN, "-X", "DELE 1", "--head", url)
    assert home.run(*LOGIN, url).strip() == ""
    assert Entry.objects.count() == 0
