"""Programs that connect again: together what each would be told alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from accounts import services, sign_in_again, throttle, verifiers
from accounts.models import Account
from accounts.sign_in import Circumstances, Reason, SignedIn, SignInError
from accounts.sign_in_again import Answer, Asked
from logs_app.models import Event, Kind
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

HERE = "192.0.2.7"


def asked(login: str, secret: str = PASSWORD, *, host: str | None = None, remote_address: str = HERE) -> Asked:
    return Asked(login, secret, Circumstances("imap", remote_address, "Foxmail", host))


def again(*given: Asked) -> list[Answer]:
    return sign_in_again.sign_in_again(given)


def who(answers: list[Answer]) -> list[str]:
    """Who was let in, or why not; "alone" for those that are to be asked so."""
    return [
        each.account.address if isinstance(each, SignedIn) else each.reason if each is not None else "alone"
        for each in answers
    ]


def errors() -> list[str]:
    return list(Event.objects.filter(kind=Kind.SIGN_IN).order_by("id").values_list("error", flat=True))


@pytest.fixture
def met(alice: Account, bob: Account) -> None:
    """Both signed in a short time ago."""
    for each in (alice, bob):
        asked(each.address).alone()
    Event.objects.all().delete()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many events each commit had."""
    sizes: list[int] = []
    write = sign_in_again.record_groups
    monkeypatch.setattr(
        sign_in_again, "record_groups", lambda groups: sizes.append(sum(map(len, groups))) or write(groups)
    )
    yield sizes


def test_whom_nobody_let_in_lately_is_left_to_be_asked_alone(alice: Account, commits: list[int]) -> None:
    assert who(again(asked(alice.address), asked("nobody@example.test"), asked("alice"))) == ["alone"] * 3
    assert (errors(), commits) == ([], [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("met")
def test_those_who_come_at_once_share_a_question_and_a_commit(
    alice: Account, bob: Account, shared: redis.Redis, commits: list[int]
) -> None:
    services.add_alias(alice, "al")
    asked("al@example.test").alone()
    Event.objects.all().delete()
    shared.config_resetstat()
    given = [
        asked(alice.address),
        asked(alice.address, "wrong"),
        asked("alice", host="imap.example.test"),
        asked(bob.address),
        asked("al@example.test"),
    ]
    answers = again(*given)
    assert who(answers) == [alice.address, "alone", alice.address, bob.address, alice.address]
    assert [each.used_alias for each in answers if isinstance(each, SignedIn)] == [False, False, False, True]
    assert shared.info("commandstats")["cmdstat_mget"]["calls"] == 1
    assert commits == [4]
    found = Event.objects.filter(kind=Kind.SIGN_IN).order_by("id")
    assert [(each.account_id, each.data["alias"], each.data["program"]) for each in found] == [
        (alice.pk, "", "Foxmail"),
        (alice.pk, "", "Foxmail"),
        (bob.pk, "", "Foxmail"),
        (alice.pk, "al@example.test", "Foxmail"),
    ]


@pytest.mark.usefixtures("met")
def test_what_changed_since_counts_at_once_and_only_for_him(alice: Account, bob: Account) -> None:
    services.suspend_account(alice)
    assert who(again(asked(alice.address), asked(bob.address))) == [Reason.SUSPENDED, bob.address]
    services.suspend_account(alice, suspended=False)
    services.set_program_rule(alice.domain, alice, imap=False)
    assert who(again(asked(alice.address), asked(bob.address))) == [Reason.PROTOCOL, bob.address]
    services.set_program_rule(alice.domain, alice, networks="203.0.113.0/24")
    assert who(again(asked(alice.address), asked(bob.address))) == [Reason.NETWORK, bob.address]
    services.set_program_rule(alice.domain, alice)
    assert who(again(asked(alice.address))) == [alice.address]
    assert errors() == ["suspended", "", "protocol", "", "network", "", ""]


@pytest.mark.usefixtures("met")
def test_a_new_password_and_a_code_end_the_old_secret(alice: Account, bob: Account) -> None:
    services.set_password(alice, "Another good password 9")
    _, code = services.create_client_code(bob, "Phone")
    given = asked(alice.address), asked(bob.address), asked(bob.address, code)
    assert who(again(*given)) == ["alone"] * 3
    assert refusal(given[0]) is Reason.REFUSED
    assert refusal(given[1]) is Reason.NEEDS_CODE
    given[2].alone()
    assert who(again(*given)) == ["alone", "alone", bob.address]


def refusal(given: Asked) -> Reason:
    with pytest.raises(SignInError) as error:
        given.alone()
    return error.value.reason


@pytest.mark.usefixtures("met")
def test_the_throttle_of_other_processes_holds_and_is_recorded_once(
    alice: Account, bob: Account, shared: redis.Redis
) -> None:
    throttle.local.clear()  # the failures below are counted by processes that know nothing of this one
    for _ in range(throttle.ACCOUNT_FAILURES):
        throttle.take(alice.address, "198.51.100.1")
    given = asked(alice.address), asked(bob.address), asked(alice.address)
    answers = again(*given)
    assert who(answers) == [Reason.THROTTLED, bob.address, Reason.THROTTLED]
    assert isinstance(answers[0], SignInError) and answers[0].retry_after_s > 0
    assert errors() == ["throttled", ""]


@pytest.mark.usefixtures("met")
def test_without_redis_this_process_counts(alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_quiet_until", float("inf"))
    for _ in range(throttle.PAIR_FAILURES // 2):
        throttle.take(alice.address, HERE)
    assert who(again(asked(alice.address), asked(bob.address))) == [Reason.THROTTLED, bob.address]


@pytest.mark.usefixtures("met")
def test_nothing_is_hashed_for_a_group(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifiers, "verify", lambda *_: pytest.fail("hashed"))
    monkeypatch.setattr(verifiers.hashlib, "pbkdf2_hmac", lambda *_: pytest.fail("derived"))
    verifiers.verified.clear()
    assert who(again(asked(alice.address), asked(alice.address, "x" * 5_000))) == ["alone", "alone"]
