"""Mail that leaves is signed: taken from the wire and checked by dkimpy against the records that we ask for."""

from __future__ import annotations

from typing import Any

import dkim as dkimpy
import pytest

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import add_domain_alias
from mta.models import DkimKey
from mta.outbound import worker
from mta.records.wanted import wanted_records
from mta.services import SubmitRequest, submit
from tests.factories import make_list
from tests.flows.test_mail_in import LETTER, send
from tests.mta.conftest import Running
from tests.mta.sink import Sink, remote

pytestmark = pytest.mark.django_db(transaction=True)

RAW = b"From: %s\r\nTo: x@far.example\r\nSubject: hi\r\nMessage-ID: <1@example.test>\r\n\r\nHello  there \r\n\r\n"


def sent(author: Account, sender: str, settings: Any) -> bytes:
    """What the remote server gets."""
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submit(access_for(author, author.pk), SubmitRequest(sender, ["x@far.example"], RAW % sender.encode()))
        worker.send_due()
    [taken] = sink.taken
    return taken.content


def checked(message: bytes, author: Account, name: str = "example.test") -> list[bool]:
    """Every signature before dkimpy, which sees the DNS as our page wants it."""
    records = {each.name(name): each.value.encode() for each in wanted_records(author.domain) if each.kind == "TXT"}
    judge = dkimpy.DKIM(message)
    count = message.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    return [
        judge.verify(at, dnsfunc=lambda host, timeout=5: records.get(host.decode().rstrip("."))) for at in range(count)
    ]


def test_both_keys_sign_what_a_person_sends(alice: Account, settings: Any) -> None:
    message = sent(alice, "alice@example.test", settings)
    assert message.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    assert checked(message, alice) == [True, True]


def test_another_name_of_the_domain_signs_as_itself(alice: Account, settings: Any) -> None:
    add_domain_alias(alice.domain, "example.alias")
    message = sent(alice, "alice@example.alias", settings)
    assert message.count(b"d=example.alias;") == 2
    assert checked(message, alice, "example.alias") == [True, True]


def test_retired_and_waiting_keys_do_not_sign(alice: Account, settings: Any) -> None:
    DkimKey.objects.filter(kind="rsa").update(state="waiting")
    message = sent(alice, "alice@example.test", settings)
    assert (message.count(b"DKIM-Signature:"), message.count(b"a=ed25519-sha256")) == (1, 1)
    DkimKey.objects.update(state="retired")
    assert b"DKIM-Signature" not in sent(alice, "alice@example.test", settings)


def test_mail_of_outsiders_to_a_list_is_signed_by_the_list(running: Running, alice: Account, settings: Any) -> None:
    make_list(alice.domain, "list", [alice], "guest@far.example")
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        send(running, "list@example.test", message=LETTER)
        worker.send_due()
    [taken] = sink.taken
    assert taken.content.count(b"d=example.test;") == 2
    assert checked(taken.content, alice) == [True, True]
