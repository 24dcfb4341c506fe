"""Signed links: each kind opens what it names, for its time, and nothing else opens anything."""

from __future__ import annotations

import time

import pytest
from django.conf import settings
from django.core import signing
from django.urls import resolve

from core.errors import ErrorKind, MailError
from mta.approval.asking import DECISION
from mta.links import SignedLink
from mta.quarantine.digest import RELEASE
from mta.services import forwards, moderation

KINDS = {
    "approval": (DECISION, (7, 8)),
    "quarantine": (RELEASE, (7, 8)),
    "forward": (forwards.QUESTION, (7, "home@far.example")),
    "list": (moderation.QUESTION, (7,)),
}
each_kind = pytest.mark.parametrize(("link", "values"), KINDS.values(), ids=KINDS)


def token_of(link: SignedLink, values: tuple[int | str, ...]) -> str:
    path = link.make(*values).removeprefix(settings.BASE_URL)
    found = resolve(path)
    assert found.url_name == link.view
    return str(found.kwargs["token"])


def refused(link: SignedLink, token: str) -> None:
    with pytest.raises(MailError) as error:
        link.read(token)
    assert error.value.kind is ErrorKind.NOT_FOUND


@each_kind
def test_a_link_opens_what_it_names_for_its_time(
    link: SignedLink, values: tuple[int | str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    token, made = token_of(link, values), int(time.time())
    assert link.read(token) == values
    monkeypatch.setattr(time, "time", lambda: made + link.max_age_s - 2)
    assert link.read(token) == values
    monkeypatch.setattr(time, "time", lambda: made + link.max_age_s + 2)
    refused(link, token)


@each_kind
def test_what_is_forged_opens_nothing(link: SignedLink, values: tuple[int | str, ...]) -> None:
    token = token_of(link, values)
    head, _, tail = token.partition(":")
    for forged in ("", "x", ":", token[:-2], token + "x", f"{head}x:{tail}", head, f"abc{token[3:]}", "é" * 3, "\0"):
        refused(link, forged)


@each_kind
def test_no_kind_opens_anothers(link: SignedLink, values: tuple[int | str, ...]) -> None:
    for other, theirs in KINDS.values():
        if other is not link:
            refused(link, token_of(other, theirs))
            refused(link, signing.dumps(values, salt=other.salt))
    assert len({other.salt for other, _ in KINDS.values()}) == len(KINDS)


@each_kind
@pytest.mark.parametrize("held", [7, "x", None, {"a": 1}, [], [True, True], ["7", "8"], [[7], [8]], [7, 8, 9]], ids=str)
def test_what_is_signed_but_not_ours_opens_nothing(
    link: SignedLink, values: tuple[int | str, ...], held: object
) -> None:
    refused(link, signing.dumps(held, salt=link.salt))
