"""Dictionaries: what a site's mails share is stored once, and every frame finds the dictionary that it names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from core.errors import ErrorKind, MailError
from mailstore import blobs, dictionaries
from mailstore.models import Blob, Dictionary
from mailstore.models.blobs import Codec
from mailstore.verify_blobs import verify_blobs
from tests.mailstore.letters import letter

pytestmark = pytest.mark.django_db

FOOTER = "Confidential: this letter of Yuanhang Lighting Co., Ltd. is meant for whom it is addressed to. 远航照明有限公司\r\n"


def mail(number: int) -> bytes:
    """A letter like the others."""
    words = " ".join(f"{number * each % 9973:x}" for each in range(1, 60))
    return letter(f"m{number}", subject=f"Offer {number}") + words.encode() + b"\r\n" + FOOTER.encode()


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    dictionaries.forget()
    yield
    dictionaries.forget()


@pytest.fixture
def many(db: None) -> None:
    """Enough to learn from."""
    with transaction.atomic():
        blobs.insert([blobs.encode(mail(number)) for number in range(dictionaries.MAILS_MIN)])


def test_a_mail_takes_less_room_and_comes_back_as_it_was(many: None) -> None:
    plain = blobs.encode(mail(5_000))
    trained = dictionaries.train_if_due()
    assert trained is not None
    assert trained.gain > dictionaries.GAIN_MIN
    dictionaries.forget()  # as another process

    blobs.put(mail(4_999))  # learns of it on the way
    helped = blobs.encode(mail(5_000))
    assert (helped.codec, helped.dictionary) == (Codec.ZSTD_DICTIONARY, trained.pk)
    assert len(helped.data or b"") < 0.7 * len(plain.data or b"")
    stored = blobs.insert([helped])[helped.sha256]
    dictionaries.forget()  # as a process that only reads

    assert blobs.get(stored) == mail(5_000)
    assert blobs.decode_head(helped.codec, helped.data, helped.key, 7) == mail(5_000)[:7]
    assert Blob.objects.get(pk=stored).dictionary == trained.pk
    assert blobs.get(Blob.objects.order_by("pk")[0].pk).startswith(b"From: ")
    assert verify_blobs().findings == []


def test_old_frames_keep_the_dictionary_they_were_made_with(many: None) -> None:
    first = dictionaries.train()
    dictionaries.forget()
    old = blobs.put(mail(6_000))
    second = dictionaries.train()
    assert first is not None
    assert second is not None
    Dictionary.objects.filter(pk=second.pk).update(trained_s=second.trained_s + 10)
    dictionaries.forget()
    new = blobs.put(mail(6_001))
    new = blobs.put(mail(6_002))
    used = dict(Blob.objects.filter(pk__in=[old, new]).values_list("pk", "dictionary"))
    assert used == {old: 0, new: second.pk}  # the first of a process is encoded before it has asked
    assert [blobs.get(old), blobs.get(new)] == [mail(6_000), mail(6_002)]


def test_what_is_large_teaches_itself(many: None) -> None:
    dictionaries.train()
    dictionaries.forget()
    dictionaries.refresh()
    large = mail(1) * 200
    assert len(large) > dictionaries.CONTENT_MAX_BYTES
    assert blobs.encode(large).codec == Codec.ZSTD
    assert blobs.encode(mail(1)).codec == Codec.ZSTD_DICTIONARY


def test_little_mail_teaches_nothing(db: None) -> None:
    blobs.put(mail(1))
    assert dictionaries.train_if_due() is None
    with pytest.raises(CommandError, match="too little"):
        call_command("train_dictionary")
    assert not Dictionary.objects.exists()


def test_the_next_one_is_due_when_there_is_much_more_mail(many: None) -> None:
    assert dictionaries.train_if_due() is not None
    assert dictionaries.train_if_due() is None
    Dictionary.objects.update(blobs=10)
    assert dictionaries.train_if_due() is not None


def test_a_dictionary_that_is_gone_is_an_error_that_says_so(many: None) -> None:
    dictionaries.train()
    dictionaries.forget()
    dictionaries.refresh()
    stored = blobs.put(mail(7_000))
    Dictionary.objects.all().delete()
    dictionaries.forget()
    with pytest.raises(MailError) as raised:
        blobs.get(stored)
    assert raised.value.kind is ErrorKind.UNAVAILABLE
