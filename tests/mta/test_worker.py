"""One run of the worker: connections are kept, destinations don't wait for each other, work is counted."""

from __future__ import annotations

import email
import socket
import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from accounts.selectors import access_for
from core.crypto import encrypt
from mailstore.message import read
from mta.models import Delivery, SmartHost
from mta.outbound import lane, worker
from mta.outbound.load import Group, load
from mta.outbound.queue import claim
from mta.outbound.relays import PURPOSE
from mta.outbound.result import Result, Verdict, for_all
from mta.outbound.settle import Attempted, settle_all
from mta.services import SubmitRequest, submit
from tests.mta.scripted import scripted
from tests.mta.sink import Sink, remote
from tests.mta.test_submit import RAW, mails, states

pytestmark = pytest.mark.django_db(transaction=True)


def write(author: Account, *recipients: str, raw: bytes = RAW) -> int:
    """Submit as `author`."""
    return submit(access_for(author, author.pk), SubmitRequest(author.address, recipients, raw))


def test_one_connection_carries_many_mails(alice: Account, settings: Any) -> None:
    settings.DESTINATIONS = {"*": {"connections": 1}}
    with scripted("PIPELINING") as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        for number in range(5):
            write(alice, f"x{number}@far.example")
        worker.send_due()
    assert server.said.count("EHLO " + settings.EHLO_NAME) == 1
    assert sum(line.startswith("MAIL") for line in server.said) == 5
    assert server.said[-1] == "QUIT"
    assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}


def test_a_kept_connection_that_is_gone_costs_no_mail_a_try(alice: Account, settings: Any) -> None:
    settings.DESTINATIONS = {"*": {"connections": 1}}
    with scripted() as server:
        server.mails_max = 1
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        for number in range(3):
            write(alice, f"x{number}@far.example")
        worker.send_due()
    assert set(Delivery.objects.values_list("state", "tries")) == {("accepted", 1)}


def test_a_server_without_pipelining_or_with_chunking_gets_the_same_bytes(alice: Account, settings: Any) -> None:
    for offered in ([], ["PIPELINING"], ["CHUNKING"], ["PIPELINING", "CHUNKING"]):
        with scripted(*offered) as server:
            settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
            write(alice, "x@far.example")
            worker.send_due()
        assert server.bodies[0].endswith(b"\r\nNoodles?\r\n")
        assert ("DATA" in server.said) is ("CHUNKING" not in offered)


def test_nothing_binary_leaves(alice: Account, settings: Any) -> None:
    content = bytes(range(256))
    file = b"Content-Type: application/x-b\r\nContent-Transfer-Encoding: binary\r\n\r\n" + content
    write(alice, "x@far.example", raw=RAW.partition(b"\r\n\r\n")[0] + b"\r\n" + file)
    with scripted("CHUNKING", "8BITMIME", "BINARYMIME") as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        worker.send_due()
    assert email.message_from_bytes(server.bodies[0]).get_payload(decode=True) == content


def test_a_dead_destination_is_asked_once_and_slows_nobody(alice: Account, settings: Any) -> None:
    sink = Sink()
    with socket.create_server(("127.0.0.1", 0)) as silent, remote(sink) as port:
        settings.ROUTES = {"dead.example": f"127.0.0.1:{silent.getsockname()[1]}", "*": f"127.0.0.1:{port}"}
        settings.DESTINATIONS = {"dead.example": {"connections": 1}}
        for number in range(10):
            write(alice, f"x{number}@dead.example")
        for number in range(10):
            write(alice, f"x{number}@far.example")
        thread = threading.Thread(target=lambda: (worker.send_due(), connections.close_all()))
        thread.start()
        client, _ = silent.accept()  # it takes the connection and never says a word
        while Delivery.objects.filter(domain="far.example", state="accepted").count() < 10:
            thread.join(0.05)
        assert thread.is_alive(), "the silent one is still being waited for"
        silent.close()
        client.close()
        thread.join(60)
    assert not thread.is_alive()
    dead = Delivery.objects.filter(domain="dead.example")
    assert set(dead.values_list("state", "code", "tries")) == {("deferred", "4.4.1", 1)}


def test_what_a_busy_destination_has_no_room_for_goes_back_untried(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "BACKLOG_NEW", 2)
    with scripted() as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        for number in range(5):
            write(alice, f"x{number}@far.example")
        worker.send_due()
        assert sorted(Delivery.objects.values_list("state", "tries")) == [("accepted", 1)] * 2 + [("queued", 0)] * 3
        Delivery.objects.filter(state="queued").update(next_attempt_us=0)
        monkeypatch.undo()
        worker.send_due()
    assert not Delivery.objects.exclude(state="accepted").exists()


def test_the_pace_of_a_destination_is_kept(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(lane.time, "monotonic", lambda: now)
    settings.DESTINATIONS = {"*": {"connections": 3}, "slow.example": {"per_minute": 30}}
    slow = lane.Lane(lane.Bounds.of("slow.example"))
    assert slow.bounds == lane.Bounds(3, 30)
    slow.waiting.extend([None] * 9)  # type: ignore[list-item]
    started = 0
    for _ in range(100):
        while slow.may_start:
            slow.take()
            slow.finish()
            started += 1
        now += 0.1
    assert started == 6  # ten seconds, one every two


def test_loading_and_writing_take_as_many_statements_for_fifty_as_for_five(alice: Account, settings: Any) -> None:
    counts = []
    for count in (5, 50):
        for number in range(count):
            write(alice, f"x{number}@far.example")
        with CaptureQueriesContext(connection) as queries:
            groups = load(claim(2**60, limit=count))
            done = [Attempted(each.submission, each.deliveries, accepted(each)) for each in groups]
            settle_all(done)
        counts.append(len(queries))
    assert Delivery.objects.filter(state="accepted").count() == 55
    assert counts[1] <= counts[0] + 4, "rows are written in statements of a few sizes"


def accepted(group: Group) -> list[Result]:
    """As a server does that takes all."""
    return for_all(group.recipients, Verdict.ACCEPTED, "2.0.0", "ok", host="mx.far.example")


def test_a_domains_smart_host_carries_its_mail(alice: Account, charlie: Account, settings: Any) -> None:
    sink = Sink()
    with remote(sink) as direct, scripted("AUTH PLAIN LOGIN") as smart:
        settings.ROUTES = {"*": f"127.0.0.1:{direct}"}
        SmartHost.objects.create(domain=alice.domain, host="127.0.0.1", port=smart.port, encryption="none")
        write(alice, "x@far.example")
        write(charlie, "y@far.example")
        worker.send_due()
    assert any(line.startswith("RCPT TO:<x@far.example>") for line in smart.said)
    assert [taken.recipients for taken in sink.taken] == [["y@far.example"]]


def test_a_secret_is_never_said_in_the_clear(alice: Account, settings: Any) -> None:
    with scripted("AUTH PLAIN LOGIN") as smart:
        secret = encrypt(PURPOSE, b"hush")
        SmartHost.objects.create(
            domain=alice.domain, host="127.0.0.1", port=smart.port, encryption="none", username="u", secret=secret
        )
        write(alice, "x@far.example")
        worker.send_due()
    assert not any(line.startswith("AUTH") for line in smart.said)
    assert Delivery.objects.get().state == "deferred"


def test_an_author_hears_once_that_his_mail_is_late(alice: Account, settings: Any) -> None:
    sink = Sink()
    sink.replies = {"x@far.example": "451 4.7.1 greylisted"}
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submission = write(alice, "x@far.example")
        worker.send_due()
        assert mails(alice, "inbox") == []
        settings.DELAY_NOTICE_S = 0
        for _ in range(2):
            Delivery.objects.update(next_attempt_us=0)
            worker.send_due()
    (report,) = mails(alice, "inbox")
    assert b"Action: delayed" in report
    assert b"Will-Retry-Until: " in report
    assert "x@far.example" in read(report).text
    assert states(submission) == {"x@far.example": "deferred"}


def test_many_recipients_go_in_parts_that_the_server_takes(alice: Account, settings: Any) -> None:
    with scripted("PIPELINING", "LIMITS RCPTMAX=3") as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, *(f"x{number}@far.example" for number in range(7)))
        worker.send_due()
    verbs = [line.partition(" ")[0] for line in server.said]
    assert (verbs.count("MAIL"), verbs.count("RCPT")) == (3, 7)
    assert not Delivery.objects.exclude(state="accepted").exists()
