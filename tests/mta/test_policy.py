"""A domain's mail policy: made with it, changed by its administrators, shown in the administration."""

from __future__ import annotations

import pytest
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mta.models import MailPolicy
from mta.services.policy import update_mail_policy
from tests.factories import make_account, make_domain

FORM = {
    "junk_score": "5",
    "quarantine_score": "10",
    "dangerous_files": "quarantine",
    "macros": "junk",
    "unscanned": "defer",
}

pytestmark = pytest.mark.django_db


def test_a_new_domain_obeys_what_senders_ask_for() -> None:
    assert MailPolicy.objects.get(domain=make_domain("fresh.test")).dmarc == "obey"


def test_a_change_is_recorded_with_its_author() -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    update_mail_policy(boss.domain, actor=boss, dmarc="junk")
    update_mail_policy(boss.domain, actor=boss, dmarc="junk")  # nothing changes, nothing is recorded
    event = Event.objects.get(kind=Kind.ADMIN, data__action="update_mail_policy")
    assert (event.actor, event.data["changes"]) == ("boss@example.test", {"dmarc": ["obey", "junk"]})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"dmarc": "maybe"}, ErrorKind.INVALID),
        ({"domain_id": 1}, ErrorKind.INVALID),
        ({"macros": "perhaps"}, ErrorKind.INVALID),
        ({"junk_score": 0}, ErrorKind.INVALID),
        ({"quarantine_score": 4}, ErrorKind.INVALID),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, object], kind: ErrorKind) -> None:
    with pytest.raises(MailError) as caught:
        update_mail_policy(make_domain(), **changes)
    assert caught.value.kind is kind


def test_members_and_strangers_may_not() -> None:
    member, stranger = make_account("m@example.test"), make_account("b@other.test", role=Account.Role.DOMAIN_ADMIN)
    for actor, kind in ((member, ErrorKind.NO_PERMISSION), (stranger, ErrorKind.NOT_FOUND)):
        with pytest.raises(MailError) as caught:
            update_mail_policy(make_domain(), actor=actor, dmarc="ignore")
        assert caught.value.kind is kind


def test_an_administrator_changes_it_in_the_administration(client: Client) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    client.force_login(boss)
    assert "example.test" in client.get(reverse("admin:mta_mailpolicy_changelist")).content.decode()
    url = reverse("admin:mta_mailpolicy_change", args=[boss.domain_id])
    fields = {name: value for name, value in model_to_dict(boss.domain.mail_policy).items() if value is not None}
    assert client.post(url, fields | {"dmarc": "ignore"}).status_code == 302
    assert MailPolicy.objects.get(domain=boss.domain_id).dmarc == "ignore"
    assert (
        client.post(reverse("admin:mta_mailpolicy_delete", args=[boss.domain_id]), {"post": "yes"}).status_code == 403
    )
    assert client.get(reverse("admin:mta_mailpolicy_add")).status_code == 403
