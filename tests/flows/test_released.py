"""Mail let out of the quarantine goes the way it would have gone: sorted, passed on, copied to monitors, once."""

from __future__ import annotations

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from logs_app.models import Event, Kind
from mailstore import blobs
from mailstore.models import Entry, EntryLabel, Flag
from mailstore.services.folders import create_folder
from mailstore.services.keywords import create_label
from mta.inbound.filing import Verdict
from mta.models import Delivery, QuarantinedMail, SpamLesson
from mta.quarantine.services import release, release_for, set_digest
from mta.services.filters import create_filter
from mta.services.replies import set_reply
from tests.factories import make_account, quarantined
from tests.flows.test_forwarded import agreed
from tests.flows.test_monitored import seen, watch
from tests.flows.test_spam import spam
from tests.mta.conftest import Running
from tests.mta.strangers import judged, letter, send
from tests.mta.test_submit import mails

__all__ = ["judged"]

ABOUT = [{"what": "subject", "how": "contains", "value": "buy"}]
OFFER = [{"what": "subject", "how": "contains", "value": "offer"}]


def let_out(account: Account) -> None:
    """Release the one mail that lies there."""
    mail = QuarantinedMail.objects.get(account=account, state="held")
    assert release(access_for(account, account.pk), mail.pk)
    assert not release(access_for(account, account.pk), mail.pk)


def test_its_filters_sort_label_and_star_it(judged: Running, alice: Account) -> None:
    access = access_for(alice, alice.pk)
    set_digest(access, wanted=True)
    folder, label = create_folder(access, "Offers"), create_label(access, "later").id
    acts = [{"do": "move", "target": folder}, {"do": "label", "target": label}, {"do": "star"}]
    create_filter(alice, "offers", conditions=ABOUT, actions=acts, actor=alice)
    send(judged, spam())
    let_out(alice)
    entry = Entry.objects.get()
    assert (entry.folder_id, entry.flags, entry.verdict) == (folder, int(Flag.FLAGGED), Verdict.RELEASED)
    assert EntryLabel.objects.get(keyword=label).entry_id == entry.pk
    assert SpamLesson.objects.get().wanted == "ham"
    assert Event.objects.get(kind=Kind.RECEIVED, data__put_aside="released").data["filters"] == ["offers"]


def test_a_filter_that_rejected_it_is_overruled_and_the_others_are_not(judged: Running, alice: Account) -> None:
    access, carol = access_for(alice, alice.pk), make_account("carol@example.test")
    watch(carol, alice, from_outside=True)
    set_digest(access, wanted=True)
    create_filter(alice, "no", conditions=ABOUT, actions=[{"do": "reject"}], actor=alice)
    create_filter(alice, "star", conditions=ABOUT, actions=[{"do": "star"}], actor=alice)
    send(judged, letter("x@good.test").replace(b"Subject: ", b"Subject: Buy "), sender="x@good.test")
    assert len(seen(carol, alice)) == 1
    let_out(alice)
    assert len(mails(alice, "inbox")) == 1
    assert Entry.objects.get(mailbox_id=alice.pk).flags == int(Flag.FLAGGED)
    assert len(seen(carol, alice)) == 1  # she had it when it was rejected


def test_monitors_get_their_copy_when_it_is_let_out(judged: Running, alice: Account) -> None:
    carol = make_account("carol@example.test")
    watch(carol, alice, from_outside=True)
    set_digest(access_for(alice, alice.pk), wanted=True)
    send(judged, spam())
    assert seen(carol, alice) == []
    let_out(alice)
    assert len(seen(carol, alice)) == 1


def test_it_is_passed_on_with_its_way_and_nobody_is_answered(judged: Running, alice: Account, bob: Account) -> None:
    agreed(alice, "home@far.example", keeps_copy=False)
    set_reply(alice, text="I am away", is_active=True, answers_outside=True, actor=alice)
    create_filter(alice, "bob", conditions=ABOUT, actions=[{"do": "forward", "target": bob.address}], actor=alice)
    set_digest(access_for(alice, alice.pk), wanted=True)
    send(judged, b"To: alice@example.test\r\n" + spam())
    let_out(alice)
    assert mails(alice, "inbox") == []
    assert len(mails(bob, "inbox")) == 1
    delivery = Delivery.objects.select_related("submission").get()
    assert delivery.recipient == "home@far.example"
    head = blobs.get(delivery.submission.wire_blob_id).split(b"\r\n\r\n")[0]
    assert head.startswith(b"Received: from ")
    assert b"Delivered-To: alice@example.test" in head


@pytest.mark.django_db(transaction=True)
def test_what_must_stay_encrypted_stays_so(alice: Account) -> None:
    agreed(alice, "home@far.example")
    mail = quarantined(alice)
    QuarantinedMail.objects.update(require_tls=True)
    assert release(access_for(alice, alice.pk), mail.pk)
    assert Delivery.objects.select_related("submission").get().submission.require_tls


@pytest.mark.django_db(transaction=True)
def test_a_virus_goes_to_one_mailbox_by_no_rule(alice: Account, bob: Account) -> None:
    create_filter(alice, "bob", conditions=OFFER, actions=[{"do": "forward", "target": bob.address}], actor=alice)
    assert release_for(quarantined(alice, kind="virus"), actor=None)
    assert len(mails(alice, "inbox")) == 1
    assert mails(bob, "inbox") == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_has_delivered_and_passed_on_nothing(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(alice, "home@far.example")
    mail = quarantined(alice)

    def dies(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mta.quarantine.releasing._log", dies)
    with pytest.raises(KeyboardInterrupt):
        release(access_for(alice, alice.pk), mail.pk)
    monkeypatch.undo()
    assert mails(alice, "inbox") == []
    assert not Delivery.objects.exists()
    let_out(alice)
    assert len(mails(alice, "inbox")) == 1
    assert Delivery.objects.count() == 1
