"""What was learnt about words, asked once for each."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from mta.models import SpamToken
from mta.spam.counts import counts_of
from mta.spam.words import Learnt

pytestmark = pytest.mark.django_db


def test_a_word_is_asked_for_once_until_something_new_is_learnt(alice: Account) -> None:
    company, own = (alice.domain_id, 0), (alice.domain_id, alice.pk)
    SpamToken.objects.create(domain_id=alice.domain_id, account_id=0, token="发票", spam=3)
    SpamToken.objects.create(domain_id=alice.domain_id, account_id=alice.pk, token="offer", ham=2)
    SpamToken.objects.create(domain_id=alice.domain_id + 1, account_id=0, token="offer", ham=9)
    owners = {company: Learnt(6, 6), own: Learnt(5, 5)}
    wanted = {company: {"发票": (3, 0)}, own: {"offer": (0, 2)}}
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert counts_of(owners, ["发票", "offer", "unknown"]) == wanted
        assert counts_of(owners, ["unknown", "offer", "发票"]) == wanted
    assert len(asked) <= 1  # raw statements on SQLite go past Django's record
    SpamToken.objects.update(spam=8, ham=0)
    assert counts_of(owners, ["发票"]) == {company: {"发票": (3, 0)}, own: {}}
    assert counts_of({company: Learnt(7, 6)}, ["发票"]) == {company: {"发票": (8, 0)}}
