"""What is claimed goes once and is written down, whatever fails beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import Account
from accounts.selectors import access_for
from mailstore.models import Blob
from mta.company.rates import allow_account, stop_account
from mta.models import Delivery, SendStop, SmartHost, Submission
from mta.outbound import client, lane, settle, worker
from mta.outbound.queue import Claimed, claim, renew
from mta.outbound.result import Result, Verdict
from mta.outbound.routing import Hop
from mta.outbound.session import open_session
from mta.services import SubmitRequest, submit
from tests.mta.scripted import scripted
from tests.mta.test_submit import mails
from tests.mta.test_worker import write

pytestmark = pytest.mark.django_db(transaction=True)


def states() -> dict[str, tuple[str, str]]:
    """State and code by recipient."""
    rows = Delivery.objects.values_list("recipient", "state", "code")
    return {recipient: (state, code) for recipient, state, code in rows}


def test_a_claim_is_renewed_while_it_is_ours(alice: Account) -> None:
    write(alice, "a@far.example")
    write(alice, "b@far.example")
    claimed = claim(2**60)
    other = claimed[1].id
    Delivery.objects.filter(pk=other).update(claimed_until_us=claimed[1].until_us + 1)
    (kept,) = renew(claimed, 2**60 + 5)
    assert (kept.id, kept.until_us - claimed[0].until_us) == (claimed[0].id, 5)
    row = Delivery.objects.get(pk=kept.id)
    assert (row.state, row.claimed_until_us, row.next_attempt_us) == ("sending", kept.until_us, kept.until_us)
    assert renew(claimed, 2**60 + 9) == []


def test_what_another_worker_has_claimed_meanwhile_is_left_to_it(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = worker.load

    def late(claimed: Sequence[Claimed]) -> Any:
        Delivery.objects.filter(recipient="a@far.example").update(claimed_until_us=2**61)
        return real(claimed)

    monkeypatch.setattr(worker, "load", late)
    monkeypatch.setattr(worker, "RENEWED_AFTER_S", -1)
    with scripted() as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, "a@far.example", "b@far.example")
        assert worker.send_due() == 1
    assert [line for line in server.said if line.startswith("RCPT")] == ["RCPT TO:<b@far.example>"]
    assert {recipient: state for recipient, (state, _) in states().items()} == {
        "a@far.example": "sending",
        "b@far.example": "accepted",
    }


def test_what_waits_for_its_turn_when_its_account_is_stopped_does_not_begin(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = worker.load

    def stopped(claimed: Sequence[Claimed]) -> Any:
        stop_account(alice, strangers=3)
        return real(claimed)

    monkeypatch.setattr(worker, "load", stopped)
    monkeypatch.setattr(worker, "RENEWED_AFTER_S", -1)
    with scripted() as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, "a@far.example")
        assert worker.send_due() == 0
        assert server.said == []
        row = Delivery.objects.get()
        assert (row.state, row.tries, row.on_hold, row.claimed_until_us) == ("queued", 0, True, 0)
        allow_account(SendStop.objects.get())
        monkeypatch.setattr(worker, "load", real)
        assert worker.send_due() == 1
    assert states() == {"a@far.example": ("accepted", "2.0.0")}


def test_a_paced_destination_takes_what_can_begin_within_its_claim() -> None:
    assert lane.Lane(lane.Bounds(20, 6)).room == 30
    assert lane.Lane(lane.Bounds(20, 0)).room == lane.BACKLOG_NEW
    assert lane.Lane(lane.Bounds(20, 10_000)).room == lane.BACKLOG_NEW


def test_a_part_that_was_accepted_is_not_sent_again_when_the_rest_takes_too_long(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(*given: Any, known: list[Result], **_: Any) -> list[Result]:
        known.append(Result("a@far.example", Verdict.ACCEPTED, "2.0.0", "250 ok"))
        raise TimeoutError

    monkeypatch.setattr(worker, "transact", stuck)
    with scripted() as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, "a@far.example", "b@far.example")
        worker.send_due()
    assert states() == {"a@far.example": ("accepted", "2.0.0"), "b@far.example": ("deferred", "4.4.2")}


def test_results_are_known_part_by_part(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, known = client._Transaction.run, []

    async def once(self: Any) -> list[Result]:
        if known:
            raise KeyError("stop")
        return await real(self)

    monkeypatch.setattr(client._Transaction, "run", once)

    async def sent(port: int) -> None:
        session = await open_session(Hop("far", "127.0.0.1", port))
        with pytest.raises(KeyError):
            await client.transact(session, "", ["a@b.c", "d@e.f", "g@h.i"], b"x\r\n", known=known)
        session.wire.close()

    with scripted("LIMITS RCPTMAX=2") as server:
        asyncio.run(sent(server.port))
    assert [each.recipient for each in known] == ["a@b.c", "d@e.f"]


def test_a_database_that_is_away_for_a_moment_makes_no_mail_go_twice(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failed = settle._settle, []

    def flaky(attempts: Any) -> None:
        if len(failed) < 2:
            failed.append(attempts)
            raise OperationalError("gone")
        real(attempts)

    monkeypatch.setattr(settle, "_settle", flaky)
    monkeypatch.setattr(worker, "SETTLE_AGAIN_S", (0, 0))
    with scripted() as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, "a@far.example")
        worker.send_due()
    assert states() == {"a@far.example": ("accepted", "2.0.0")}
    assert len(server.bodies) == 1


def test_a_queue_that_can_not_be_asked_breaks_no_transaction_off(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, transact, failed = worker.claim, worker.transact, []

    def broken(now_us: int, *, limit: int) -> list[Claimed]:
        if Delivery.objects.filter(state="sending").exists():
            failed.append(limit)
            raise OperationalError("gone")
        return real(now_us, limit=limit)

    async def slow(*given: Any, **named: Any) -> list[Result]:
        while not failed:
            await asyncio.sleep(0.01)
        return await transact(*given, **named)

    monkeypatch.setattr(worker, "claim", broken)
    monkeypatch.setattr(worker, "transact", slow)
    monkeypatch.setattr(worker, "TICK_S", 0.01)
    with scripted() as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, "a@far.example")
        with pytest.raises(OperationalError):
            worker.send_due()
    assert states() == {"a@far.example": ("accepted", "2.0.0")}


def test_a_mail_whose_bytes_are_gone_holds_up_no_other_and_its_author_hears_of_it(
    alice: Account, settings: Any
) -> None:
    with scripted() as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        lost = write(alice, "lost@far.example")
        Blob.objects.filter(pk=Submission.objects.get(pk=lost).wire_blob_id).update(codec=1, data=b"no frame")
        raw = b"From: alice@example.test\r\nSubject: other\r\n\r\nx\r\n"
        submit(access_for(alice, alice.pk), SubmitRequest(alice.address, ["good@far.example"], raw))
        worker.send_due()
        assert states() == {"lost@far.example": ("deferred", "4.3.0"), "good@far.example": ("accepted", "2.0.0")}
        settings.RETRY_FOR_S = -1
        Delivery.objects.filter(state="deferred").update(next_attempt_us=0)
        worker.send_due()
    assert states()["lost@far.example"] == ("bounced", "4.4.7")
    (report,) = mails(alice, "inbox")
    assert b"lost@far.example" in report


def test_a_smart_host_whose_secret_can_not_be_read_holds_its_own_domain_up_alone(
    alice: Account, charlie: Account, settings: Any
) -> None:
    with scripted() as server, scripted() as smart:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        SmartHost.objects.create(
            domain=alice.domain, host="127.0.0.1", port=smart.port, encryption="none", username="u", secret=b"old key"
        )
        write(alice, "a@far.example")
        write(charlie, "c@far.example")
        worker.send_due()
    assert states() == {"a@far.example": ("deferred", "4.3.5"), "c@far.example": ("accepted", "2.0.0")}
    assert not smart.said


@pytest.mark.parametrize("offered", ["SIZE ²", "LIMITS RCPTMAX=²"])
def test_a_server_that_says_no_number_says_nothing(alice: Account, settings: Any, offered: str) -> None:
    with scripted(offered) as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, "a@far.example")
        worker.send_due()
    assert states() == {"a@far.example": ("accepted", "2.0.0")}
