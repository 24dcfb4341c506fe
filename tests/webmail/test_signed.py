"""Pages behind signed links: what they say to whoever has the link, in both languages, and to who has none."""

from __future__ import annotations

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from mta.models import ForwardTarget
from mta.services.forwards import QUESTION, add_target

pytestmark = pytest.mark.django_db


def test_the_question_of_forwarding_speaks_both_languages(client: Client, alice: Account) -> None:
    target = add_target(alice, "home@far.example")
    url = QUESTION.make(target.pk, target.address)
    for language, words in (("en", "(alice@example.test)?"), ("zh-hans", "(alice@example.test) 转发的邮件")):
        assert words in client.get(url, headers={"Accept-Language": language}).content.decode()
    assert "已确认" in client.post(url, headers={"Accept-Language": "zh-hans"}).content.decode()


@pytest.mark.parametrize("value", [[1, "home@far.example"], [1], "x", {"a": 1}])
def test_a_link_about_nothing_finds_nothing(client: Client, alice: Account, value: object) -> None:
    for salt in (QUESTION.salt, "other"):
        url = reverse(QUESTION.view, args=[signing.dumps(value, salt=salt)])
        assert client.get(url).status_code == client.post(url).status_code == 404
    assert not ForwardTarget.objects.exists()
