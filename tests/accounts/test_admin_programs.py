"""Client codes and rules for mail programs in the administration."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import Account, Credential, ProgramRule
from accounts.sign_in import sign_in
from tests.accounts.conftest import SECRET
from tests.factories import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("urlconf")]


def test_a_client_code_is_made_shown_once_and_taken_back(browser: Client, boss: Account) -> None:
    alice = make_account("alice@example.test")
    form = {"account": alice.pk, "label": "Phone"}
    page = browser.post(reverse("admin:accounts_credential_add"), form, follow=True)
    made = Credential.objects.get(kind=Credential.Kind.CLIENT_CODE)
    code = re.search(r"\b[a-z]{16}\b", page.content.decode())
    assert code
    came = sign_in(alice.address, code[0], host=None, protocol="imap", remote_address="192.0.2.1")
    assert came.credential_id == made.pk
    again = browser.get(reverse("admin:accounts_credential_changelist"))
    assert code[0] not in again.content.decode()
    assert "Phone" in again.content.decode()
    browser.post(reverse("admin:accounts_credential_delete", args=[made.pk]), {"post": "yes"})
    assert not Credential.objects.filter(kind=Credential.Kind.CLIENT_CODE).exists()


def test_no_page_shows_a_password_or_a_verifier(browser: Client, boss: Account) -> None:
    password = boss.credentials.get()
    assert browser.get(reverse("admin:accounts_credential_change", args=[password.pk])).status_code == 404
    code, _ = services.create_client_code(boss, "Phone")
    shown = browser.get(reverse("admin:accounts_credential_change", args=[code.pk])).content.decode()
    assert "argon2" not in shown


def test_rules_for_programs_are_made_changed_and_removed(browser: Client, boss: Account) -> None:
    alice = make_account("alice@example.test")
    form = {"account": alice.pk, "imap": "on", "smtp": "on", "networks": "10.0.0.1/8"}
    assert browser.post(reverse("admin:accounts_programrule_add"), form).status_code == 302
    rule = ProgramRule.objects.get()
    assert (rule.account, rule.imap, rule.pop3, rule.smtp, rule.networks) == (alice, True, False, True, "10.0.0.0/8")
    page = reverse("admin:accounts_programrule_change", args=[rule.pk])
    assert browser.post(page, {"pop3": "on", "networks": ""}).status_code == 302
    rule.refresh_from_db()
    assert (rule.account, rule.imap, rule.pop3, rule.smtp, rule.networks) == (alice, False, True, False, "")
    refused = browser.post(page, {"pop3": "on", "networks": "nowhere"})
    assert refused.status_code == 200
    assert "This value is not valid." in refused.content.decode()
    everybody = {"imap": "on", "pop3": "on", "smtp": "on", "networks": "192.0.2.0/24"}
    assert browser.post(reverse("admin:accounts_programrule_add"), everybody).status_code == 302
    assert "everybody of example.test" in browser.get(reverse("admin:accounts_programrule_changelist")).content.decode()
    browser.post(reverse("admin:accounts_programrule_delete", args=[rule.pk]), {"post": "yes"})
    assert [each.account for each in ProgramRule.objects.all()] == [None]


def test_another_domains_codes_and_rules_do_not_exist(browser: Client, boss: Account) -> None:
    stranger = make_account(f"x@{SECRET}.test")
    code, _ = services.create_client_code(stranger, SECRET)
    rule = services.set_program_rule(stranger.domain, stranger)
    for page, pk in (("credential", code.pk), ("programrule", rule.pk)):
        for act in ("change", "delete"):
            assert browser.get(reverse(f"admin:accounts_{page}_{act}", args=[pk])).status_code == 404
        assert SECRET not in browser.get(reverse(f"admin:accounts_{page}_changelist")).content.decode()
    browser.post(reverse("admin:accounts_credential_add"), {"account": stranger.pk, "label": "Phone"})
    browser.post(reverse("admin:accounts_programrule_add"), {"account": stranger.pk})
    assert Credential.objects.filter(kind="client_code").count() == ProgramRule.objects.count() == 1
