"""The rows that recognise a mail that comes again."""

from __future__ import annotations

import pytest
from django.db import transaction

from mta.inbound.accepted import AlreadyAcceptedError, forget, remember, remember_all

pytestmark = pytest.mark.django_db


def test_the_first_that_stands_already_is_named() -> None:
    one, two, three = (bytes([number]) * 32 for number in range(3))
    with transaction.atomic():
        assert remember_all([one]) is None
    with pytest.raises(ValueError), transaction.atomic():
        found = remember_all([two, one, three])
        assert found is not None
        assert (found[0], type(found[1])) == (1, AlreadyAcceptedError)
        raise ValueError
    with transaction.atomic():
        assert remember_all([two, three]) is None


def test_the_same_mail_twice_in_one_group_is_once_too_many() -> None:
    one, two = b"1" * 32, b"2" * 32
    with transaction.atomic():
        found = remember_all([one, two, one])
    assert found is not None
    assert found[0] == 2


def test_what_was_answered_is_forgotten() -> None:
    with transaction.atomic():
        remember_all([b"1" * 32])
    forget([b"1" * 32])
    with transaction.atomic():
        assert remember_all([b"1" * 32]) is None


def test_one_that_stands_is_refused() -> None:
    with transaction.atomic():
        remember(b"1" * 32)
    with pytest.raises(AlreadyAcceptedError), transaction.atomic():
        remember(b"1" * 32)
