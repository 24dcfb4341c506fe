"""What an account may send and receive, on the real road: the codes of SMTP, and the services behind them."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import create_group, grant_mailbox, set_rights, suspend_account
from core.errors import ErrorKind, MailError
from mta.models import Delivery, Submission
from mta.services import submit
from tests.dialogue import client_tls
from tests.factories import PASSWORD, make_account
from tests.flows.test_mail_in import code_of, send
from tests.mta.conftest import Running
from tests.mta.test_submit import RAW, mails, request

pytestmark = pytest.mark.django_db(transaction=True)

WITH_FILE = (
    b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: file\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\n'
    b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\n'
    + b"x" * 70
    + b"\r\n" * 1_000
    + b"--b--\r\n"
)


def refused(act: Any, *args: Any, **named: Any) -> tuple[ErrorKind, Any]:
    """Kind and part of what is raised."""
    with pytest.raises(MailError) as caught:
        act(*args, **named)
    return caught.value.kind, caught.value.data.get("part", caught.value.data.get("limit"))


def program(running: Running, account: Account) -> smtplib.SMTP:
    """A mail program that has signed in."""
    client = running.client(running.submission)
    client.starttls(context=client_tls())
    client.login(account.address, PASSWORD)
    return client


def test_who_writes_inside_alone_writes_to_nobody_else(running: Running, alice: Account, bob: Account) -> None:
    set_rights(alice, sends_outside=False)
    mine = access_for(alice, alice.pk)
    assert refused(submit, mine, request(bob.address, "x@far.example")) == (ErrorKind.NO_PERMISSION, "outside")
    make_account("x@other.test")
    assert refused(submit, mine, request("x@other.test"))[1] == "outside"
    submit(mine, request(bob.address))
    with program(running, alice) as client:
        client.mail(alice.address)
        code, text = client.rcpt("x@far.example")
        assert (code, text[:5]) == (550, b"5.7.1")
        assert client.rcpt(bob.address)[0] == 250
    # Nor does he through another's mailbox that he may send from.
    grant_mailbox(bob, alice, "sender")
    through = request("x@far.example", envelope_from=bob.address)
    assert refused(submit, access_for(alice, bob.pk), through)[1] == "outside"
    assert not Delivery.objects.filter(recipient="x@far.example").exists()


def test_who_is_suspended_hands_over_nothing_more_on_a_connection_that_is_open(
    running: Running, alice: Account
) -> None:
    with program(running, alice) as client:
        assert client.mail(alice.address)[0] == 250
        client.rset()
        suspend_account(alice)
        assert client.mail(alice.address)[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


def test_a_list_does_not_lead_outside_who_writes_inside_alone(running: Running, alice: Account, bob: Account) -> None:
    set_rights(alice, sends_outside=False)
    mine = access_for(alice, alice.pk)
    company = alice.domain
    create_group(company, "inside", name="Inside", members=[bob])
    suppliers = create_group(company, "suppliers", name="Suppliers", members=[bob], externals=["x@far.example"])
    create_group(company, "both", name="Both", members=[suppliers])
    create_group(company, "neighbours", name="Neighbours", externals=["x@other.test"])
    neighbour = make_account("x@other.test")  # a company that came here later
    submit(mine, request("inside@example.test"))
    leaving = ["suppliers@example.test", "Suppliers+x@EXAMPLE.test", "both@example.test", "neighbours@example.test"]
    for name in leaving:
        assert refused(submit, mine, request(bob.address, name)) == (ErrorKind.NO_PERMISSION, "members"), name
    with program(running, alice) as client:
        client.mail(alice.address)
        for name in leaving:
            code, text = client.rcpt(name)
            assert (code, text[:5]) == (550, b"5.7.1")
        assert client.rcpt("inside@example.test")[0] == 250
    grant_mailbox(bob, alice, "sender")
    through = request("both@example.test", envelope_from=bob.address)
    assert refused(submit, access_for(alice, bob.pk), through)[1] == "members"
    assert not Delivery.objects.filter(recipient="x@far.example").exists()
    assert not mails(neighbour, "inbox")
    set_rights(alice, sends_outside=True)
    submit(mine, request("both@example.test", "neighbours@example.test"))
    assert Delivery.objects.filter(recipient="x@far.example").exists()
    assert mails(neighbour, "inbox")


def test_who_hears_from_inside_alone_is_closed_to_the_others(running: Running, alice: Account, bob: Account) -> None:
    set_rights(alice, receives_outside=False)
    for sender in ("x@far.example", "bob@example.test"):  # the second only says so
        assert code_of(running, alice.address, sender) == "550 5.7.1"
    assert code_of(running, alice.address, "") == "250 2.1.5"
    assert code_of(running, bob.address) == "250 2.1.5"
    submit(access_for(bob, bob.pk), request(alice.address, envelope_from=bob.address))
    assert len(mails(alice, "inbox")) == 1
    create_group(alice.domain, "team", name="Team", posting="anyone", members=[alice, bob])
    send(running, "team@example.test")
    assert (len(mails(alice, "inbox")), len(mails(bob, "inbox"))) == (1, 1)


def test_numbers_and_sizes_have_limits_of_their_own(running: Running, alice: Account, bob: Account) -> None:
    set_rights(alice, max_recipients=2, message_max_bytes=10_000, attachment_max_bytes=1_000)
    mine = access_for(alice, alice.pk)
    many = request("a@far.example", "b@far.example", "c@far.example")
    assert refused(submit, mine, many) == (ErrorKind.LIMIT, 2)
    assert refused(submit, mine, request(bob.address, raw=RAW + b"x" * 10_000))[0] is ErrorKind.TOO_LARGE
    assert refused(submit, mine, request(bob.address, raw=WITH_FILE)) == (ErrorKind.TOO_LARGE, "attachment")
    with program(running, alice) as client:
        assert client.esmtp_features["size"]
        with pytest.raises(smtplib.SMTPDataError) as caught:
            client.sendmail(alice.address, [bob.address], WITH_FILE)
        assert (caught.value.smtp_code, bytes(caught.value.smtp_error)[:5]) == (552, b"5.3.4")
        with pytest.raises(smtplib.SMTPSenderRefused) as large:
            client.sendmail(alice.address, [bob.address], RAW + b"x" * 10_000)
        assert large.value.smtp_code == 552
        with pytest.raises(smtplib.SMTPDataError) as many_people:
            client.sendmail(alice.address, ["a@far.example", "b@far.example", "c@far.example"], RAW)
        assert (many_people.value.smtp_code, bytes(many_people.value.smtp_error)[:5]) == (552, b"5.5.3")
    assert not Submission.objects.exists()
