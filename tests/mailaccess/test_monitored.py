"""Monitored mail in mail programs: to look at alone, by POP3 only when its reader wants it, and every look recorded."""

from __future__ import annotations

import imaplib

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from logs_app.models import Event, Kind
from mailaccess.models import PopSettings
from mta.services import submit
from mta.services.monitoring import create_monitor_rule
from tests.mailaccess.conftest import Running
from tests.mta.test_submit import request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def watched(alice: Account, bob: Account) -> None:
    """Bob watches Alice, who has written a mail."""
    create_monitor_rule(alice.domain, "rule", monitors=[bob], accounts=[alice])
    submit(access_for(alice, alice.pk), request("x@far.example"))


def views() -> list[tuple[str, str, str]]:
    """Who looked at whose mail, and how."""
    found = Event.objects.filter(kind=Kind.MONITOR_VIEW).order_by("pk")
    return list(found.values_list("actor", "address", "protocol"))


def test_imap_shows_it_to_be_read_and_notes_who_read(imap_server: Running, watched: None, bob: Account) -> None:
    client = imap_server.imap(bob.address)
    with pytest.raises(imaplib.IMAP4.readonly):
        client.select('"Mail monitoring/alice@example.test"')
    assert client.select('"Mail monitoring/alice@example.test"', readonly=True)[0] == "OK"
    assert client.fetch("1", "(FLAGS)")[1] != [None]
    assert views() == []
    assert b"Noodles?" in client.fetch("1", "(BODY.PEEK[])")[1][0][1]  # type: ignore[index]
    assert views() == [(bob.address, "alice@example.test", "imap")]
    assert client.store("1", "+FLAGS", "(\\Deleted)")[0] == "NO"
    client.logout()


@pytest.mark.parametrize("wanted", [False, True])
def test_pop3_shows_it_when_its_reader_says_so(pop3_server: Running, watched: None, bob: Account, wanted: bool) -> None:
    PopSettings.objects.create(account=bob, with_monitored=wanted)
    client = pop3_server.pop3(bob.address)
    assert client.stat()[0] == wanted
    if wanted:
        assert b"Noodles?" in client.retr(1)[1]
    client.quit()
    assert views() == [(bob.address, "alice@example.test", "pop3")] * wanted
