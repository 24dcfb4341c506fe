"""Black and white lists: which entry counts, who may write them, and the administration's page."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Domain
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mta import senders
from mta.models import ListedSender
from mta.senders import SenderLists, canonical_pattern
from mta.services.senders import list_sender, unlist_sender
from tests.factories import make_account, make_domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> Account:
    """Administrator of example.test."""
    return make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Wang@Partner.TEST", "wang@partner.test"),
        (" partner.test ", "partner.test"),
        ("@partner.test", "partner.test"),
        ("*@partner.test", "partner.test"),
        ("王@例子.test", "王@xn--fsqu00a.test"),
        ("例子.test.", "xn--fsqu00a.test"),
    ],
)
def test_what_people_type_is_kept_in_one_form(typed: str, stored: str) -> None:
    assert canonical_pattern(typed) == stored


@pytest.mark.parametrize("typed", ["", "@", "nonsense", "a b@c.test", "a@b", "x@-.test", "a@b.test, c@d.test"])
def test_what_is_neither_address_nor_domain_is_refused(typed: str) -> None:
    with pytest.raises(MailError) as caught:
        canonical_pattern(typed)
    assert caught.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize(
    ("own", "company", "sender", "wish"),
    [
        ({}, {}, "a@b.test", None),
        ({"a@b.test": "block"}, {}, "A@B.test", "block"),
        ({"a@b.test": "block"}, {}, "a+news@b.test", "block"),
        ({"a@b.test": "block"}, {}, "c@b.test", None),
        ({"b.test": "block"}, {}, "a@mail.b.test", "block"),
        ({"b.test": "block"}, {}, "a@notb.test", None),
        ({"b.test": "block", "a@b.test": "safe"}, {}, "a@b.test", "safe"),
        ({"b.test": "safe", "mail.b.test": "block"}, {}, "a@mail.b.test", "block"),
        ({"b.test": "safe"}, {"a@b.test": "block"}, "a@b.test", "block"),
        ({"a@b.test": "safe"}, {"a@b.test": "block"}, "a@b.test", "safe"),
        ({"a@b.test": "block"}, {"a@b.test": "safe"}, "a@b.test", "safe"),
        ({"test": "block"}, {}, "a@b.test", None),
        ({"b.test": "block"}, {}, "", None),
        ({"b.test": "block"}, {}, "not an address", None),
    ],
)
def test_the_more_specific_entry_wins_then_the_white_list(
    own: dict[str, str], company: dict[str, str], sender: str, wish: str | None
) -> None:
    assert SenderLists(own, company).wish_about(sender) == wish


def test_an_entry_changes_sides_and_goes(boss: Account) -> None:
    entry = list_sender(boss.domain, "Partner.test", "block", account=boss, actor=boss)
    again = list_sender(boss.domain, "@partner.test", "safe", account=boss, actor=boss)
    assert (again.pk, again.wish, ListedSender.objects.count()) == (entry.pk, "safe", 1)
    list_sender(boss.domain, "partner.test", "block", actor=boss)  # the company's is another
    assert ListedSender.objects.count() == 2
    unlist_sender(again, actor=boss)
    assert ListedSender.objects.get().account is None
    acts = Event.objects.filter(kind=Kind.ADMIN, data__action="list_sender")
    assert [event.data["changes"] for event in acts] == [{"pattern": "partner.test", "wish": "block"}]


def test_a_list_has_an_end(boss: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mta.services.senders.LISTED_MAX", 3)
    assert senders.LISTED_MAX == 500
    for number in range(3):
        list_sender(boss.domain, f"p{number}.test", "block", account=boss)
    with pytest.raises(MailError) as caught:
        list_sender(boss.domain, "p3.test", "block", account=boss)
    assert caught.value.kind is ErrorKind.LIMIT
    list_sender(boss.domain, "p2.test", "block", account=boss)  # it is there already
    list_sender(boss.domain, "p3.test", "safe", account=boss)  # the other list
    list_sender(boss.domain, "p3.test", "block")  # another owner
    with pytest.raises(MailError):
        list_sender(boss.domain, "p3.test", "block", account=boss)  # it can't change sides into a full list


def test_everybody_keeps_his_own_lists_and_no_others(boss: Account) -> None:
    member, stranger = make_account("m@example.test"), make_account("b@other.test", role=Account.Role.DOMAIN_ADMIN)
    list_sender(member.domain, "p.test", "block", account=member, actor=member)
    entry = list_sender(member.domain, "p.test", "block", account=boss, actor=boss)
    for actor, kind in ((member, ErrorKind.NO_PERMISSION), (stranger, ErrorKind.NOT_FOUND)):
        for owner in (boss, None):
            with pytest.raises(MailError) as caught:
                list_sender(boss.domain, "q.test", "block", account=owner, actor=actor)
            assert caught.value.kind is kind
        with pytest.raises(MailError) as caught:
            unlist_sender(entry, actor=actor)
        assert caught.value.kind is kind
    with pytest.raises(MailError) as caught:
        list_sender(make_domain("other.test"), "q.test", "block", account=member)
    assert caught.value.kind is ErrorKind.INVALID


def test_an_administrator_keeps_the_lists_of_his_domain(client: Client, boss: Account) -> None:
    other = list_sender(Domain.objects.get(pk=make_domain("other.test").pk), "hidden.test", "block")
    client.force_login(boss)
    added = reverse("admin:mta_listedsender_add")
    facts = {"domain": boss.domain_id, "account": "", "pattern": "*@Spam.test", "wish": "block"}
    assert client.post(added, facts).status_code == 302
    entry = ListedSender.objects.get(domain=boss.domain)
    assert (entry.pattern, entry.wish, entry.account) == ("spam.test", "block", None)
    refused = client.post(added, facts | {"pattern": "nonsense"})
    assert refused.status_code == 200
    assert ListedSender.objects.count() == 2
    assert client.post(reverse("admin:mta_listedsender_change", args=[entry.pk]), {"wish": "safe"}).status_code == 302
    entry.refresh_from_db()
    assert entry.wish == "safe"
    listed = client.get(reverse("admin:mta_listedsender_changelist")).content.decode()
    assert "spam.test" in listed
    assert "hidden.test" not in listed
    assert client.post(added, facts | {"pattern": "more.test", "domain": other.domain_id}).status_code == 302
    assert ListedSender.objects.get(pattern="more.test").domain == boss.domain  # one's own, whatever is sent
    ListedSender.objects.filter(pattern="more.test").delete()
    assert client.post(reverse("admin:mta_listedsender_delete", args=[entry.pk]), {"post": "yes"}).status_code == 302
    assert ListedSender.objects.get() == other
