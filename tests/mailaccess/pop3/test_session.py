"""POP3 by poplib, over a real socket."""

from __future__ import annotations

import poplib
import time
from collections.abc import Sequence

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from mailaccess.models import MaildropLock, PopSettings
from mailaccess.pop3 import lock, maildrop
from mailaccess.pop3.lines import stuffed, top
from mailstore.models import Recoverable, Role
from mailstore.services.entries import move
from tests.mailaccess.conftest import Running, Talk
from tests.mailstore.letters import folder_id, letter, stored

DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def mails(alice: Account) -> list[int]:
    """Three of today, one of last month."""
    mine = access_for(alice, alice.pk)
    now_us = time.time_ns() // 1000
    old = stored(mine, letter("old"), at_us=now_us - 40 * DAY_US)
    return [old, *(stored(mine, letter(f"m{n}", body=f"body {n}\r\n.dot"), at_us=now_us + n) for n in range(3))]


def mine(account: Account) -> Access:
    """The account in its own mailbox."""
    return access_for(account, account.pk)


def test_the_last_week_is_shown_unless_the_account_wants_more(
    pop3_server: Running, alice: Account, mails: list[int]
) -> None:
    client = pop3_server.pop3()
    assert client.stat()[0] == 3
    client.quit()
    PopSettings.objects.create(account=alice, window="all")
    client = pop3_server.pop3()
    assert client.stat()[0] == 4
    assert [line.split()[1].decode() for line in client.uidl()[1]] == [f"{each:x}" for each in mails]
    client.quit()


def test_a_mail_is_read_as_it_was_stored_with_its_dots(pop3_server: Running, mails: list[int]) -> None:
    client = pop3_server.pop3()
    _, lines, size = client.retr(2)
    assert b"\r\n".join(lines) + b"\r\n" == letter("m1", body="body 1\r\n.dot")
    assert size == len(letter("m1", body="body 1\r\n.dot")) == int(client.list(2).split()[2])
    assert client.top(2, 1)[1][-1] == b"body 1"
    client.quit()


def test_what_is_deleted_goes_to_the_recovery_at_quit_and_not_before(pop3_server: Running, mails: list[int]) -> None:
    client = pop3_server.pop3()
    client.dele(1)
    assert client.stat()[0] == 2
    client.close()
    client = wait_for(pop3_server)
    assert client.stat()[0] == 3
    client.dele(1)
    client.rset()
    client.dele(3)
    client.quit()
    assert list(Recoverable.objects.values_list("id", flat=True)) == [mails[3]]


def wait_for(server: Running) -> poplib.POP3_SSL:
    """Sign in once the earlier session is over."""
    for _ in range(1_200):
        try:
            return server.pop3()
        except poplib.error_proto:
            time.sleep(0.05)
    raise AssertionError("the maildrop stays shut")


def test_programs_may_be_kept_from_deleting(pop3_server: Running, alice: Account, mails: list[int]) -> None:
    PopSettings.objects.create(account=alice, keeps_mail=True)
    client = pop3_server.pop3()
    assert client.dele(1).startswith(b"+OK")
    client.quit()
    assert not Recoverable.objects.exists()


def test_a_uidl_survives_a_move(pop3_server: Running, alice: Account, mails: list[int]) -> None:
    client = pop3_server.pop3()
    before = client.uidl()[1][0].split()[1]
    client.quit()
    move(mine(alice), mails[1:2], folder_id=folder_id(mine(alice), Role.SENT))
    move(mine(alice), mails[1:2], folder_id=folder_id(mine(alice), Role.INBOX))
    client = pop3_server.pop3()
    assert before in {line.split()[1] for line in client.uidl()[1]}
    client.quit()


def test_a_maildrop_is_one_sessions(pop3_server: Running, alice: Account, mails: list[int]) -> None:
    client = pop3_server.pop3()
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        pop3_server.pop3()
    client.quit()
    pop3_server.pop3().quit()
    MaildropLock.objects.filter(account=alice).update(token="somebody", until_s=int(time.time()) - 1)
    pop3_server.pop3().quit()


def test_a_lease_is_renewed_by_its_holder_alone(alice: Account) -> None:
    token = lock.take(alice.pk)
    assert token is not None
    assert (lock.renew(alice.pk, token), lock.renew(alice.pk, "other"), lock.take(alice.pk)) == (True, False, None)
    lock.give_back(alice.pk, token)
    assert lock.take(alice.pk)


def test_no_secret_in_the_clear(pop3_server: Running, alice: Account) -> None:
    talk = pop3_server.talk(tls=False)
    for command in (b"USER alice@example.test", b"AUTH PLAIN AGEAYg=="):
        talk.send(command + b"\r\n")
        assert talk.line().startswith(b"-ERR [AUTH]")
    talk.send(b"STAT\r\nSTLS\r\nUSER injected\r\n")
    assert talk.line().startswith(b"-ERR")
    assert talk.line().startswith(b"+OK")
    talk.start_tls()
    talk.send(b"PASS x\r\n")
    assert talk.line().startswith(b"-ERR Not in this state")
    talk.close()


def test_nonsense_is_answered(pop3_server: Running, alice: Account, mails: list[int]) -> None:
    client = pop3_server.pop3()
    for command in ("RETR", "RETR 0", "RETR 99", "RETR x", "TOP 1", "TOP 1 x", "DELE 99", "LIST 99", "UIDL -1", "XYZ"):
        with pytest.raises(poplib.error_proto):
            client._shortcmd(command)  # type: ignore[attr-defined]
    client.quit()


def test_a_line_without_end_closes_the_connection(pop3_server: Running, alice: Account) -> None:
    talk = Talk(pop3_server.tls, tls=True)
    talk.send(b"x" * 2_000)
    assert talk.line().startswith(b"-ERR Line is too long")
    assert talk.is_closed()


def test_lines_are_stuffed_and_ended() -> None:
    assert stuffed(b".a\r\n..b\nc") == b"..a\r\n...b\r\nc\r\n.\r\n"
    assert stuffed(b"") == b".\r\n"
    assert top(b"H: x\r\n\r\n1\r\n2\r\n", 8, 1) == b"H: x\r\n\r\n1\r\n"


def test_who_has_quit_may_sign_in_again_at_once(pop3_server: Running, mails: list[int]) -> None:
    for _ in range(10):
        client = pop3_server.pop3()
        assert client.stat()[0] == 3
        client.quit()


def test_who_takes_one_mail_after_the_other_gets_some_read_at_once(
    pop3_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_us = time.time_ns() // 1000
    for number in range(40):
        stored(mine(alice), letter(f"now{number}"), at_us=now_us + number)
    asked: list[int] = []
    real = maildrop.letters

    def counted(access: Access, entry_ids: Sequence[int]) -> dict[int, tuple[bytes, int, int]]:
        asked.append(len(entry_ids))
        return real(access, entry_ids)

    monkeypatch.setattr(maildrop, "letters", counted)
    client = pop3_server.pop3()
    for number in range(1, 41):
        assert f"<now{number - 1}@".encode() in b"\n".join(client.retr(number)[1])
        client.dele(number) if number % 2 else client.top(number, 0)
    assert [each for each in asked if each > 1] == [17, 17, 6]
    client.rset()
    assert b"<now7@" in b"\n".join(client.retr(8)[1])
    assert asked[-1] == 1
    client.dele(9)
    client.retr(7)
    client.retr(8)
    with pytest.raises(poplib.error_proto):
        client.retr(9)
    client.quit()
