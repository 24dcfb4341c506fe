"""POP3's settings: who may change them, and what a session then shows."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailaccess.models import PopSettings
from mailaccess.pop3.maildrop import WINDOWS
from mailaccess.services import set_pop_settings
from tests.factories import make_account
from tests.mailaccess.conftest import Running
from tests.mailstore.letters import letter, stored

DEFAULTS = {"window": "week", "keeps_mail": False, "with_monitored": False}


@pytest.mark.django_db
def test_the_owner_and_his_administrator_change_them(alice: Account, bob: Account) -> None:
    admin = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    set_pop_settings(alice, **DEFAULTS | {"window": "year"}, actor=alice)
    set_pop_settings(alice, **DEFAULTS | {"keeps_mail": True}, actor=admin)
    set_pop_settings(alice, **DEFAULTS | {"keeps_mail": True}, actor=admin)
    row = PopSettings.of(alice.pk)
    assert (row.window, row.keeps_mail, row.with_monitored) == ("week", True, False)
    assert Event.objects.filter(kind=Kind.ADMIN, data__action="set_pop_settings").count() == 2
    for actor, kind in ((bob, ErrorKind.NO_PERMISSION), (make_account("x@elsewhere.test"), ErrorKind.NOT_FOUND)):
        with pytest.raises(MailError) as error:
            set_pop_settings(alice, **DEFAULTS, actor=actor)
        assert error.value.kind is kind
    with pytest.raises(MailError) as error:
        set_pop_settings(alice, **DEFAULTS | {"window": "ever"}, actor=alice)
    assert error.value.data == {"field": "window"}


@pytest.mark.django_db
def test_every_window_has_its_days() -> None:
    assert set(WINDOWS) == set(PopSettings.Window.values)


@pytest.mark.django_db
def test_the_administration_has_a_page_for_them(alice: Account) -> None:
    client = Client()
    client.force_login(make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN))
    form = {"account": alice.pk, "window": "all", "keeps_mail": "on"}
    assert client.post(reverse("admin:mailaccess_popsettings_add"), form).status_code == 302
    page = reverse("admin:mailaccess_popsettings_change", args=[alice.pk])
    assert client.post(page, {"window": "month"}).status_code == 302
    row = PopSettings.of(alice.pk)
    assert (row.window, row.keeps_mail) == ("month", False)


def test_a_program_that_may_not_delete_is_told_ok(pop3_server: Running, alice: Account) -> None:
    stored(access_for(alice, alice.pk), letter("kept"))
    set_pop_settings(alice, **DEFAULTS | {"window": "all", "keeps_mail": True})
    client = pop3_server.pop3()
    assert client.dele(1).startswith(b"+OK")
    assert client.stat()[0] == 0
    client.quit()
    again = pop3_server.pop3()
    assert again.stat()[0] == 1
    again.quit()
