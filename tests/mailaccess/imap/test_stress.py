"""Random clients at one mailbox (`webmail.stress`): the short form of `manage.py stress`, and that it can see."""

from __future__ import annotations

import asyncio
import random

import pytest

from accounts.models import Account
from mailaccess.imap import view
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running
from webmail.stress.run import run
from webmail.stress.session import Login

CLIENTS = 4


def played(server: Running, *, seconds: float) -> tuple[dict[str, int], list[str]]:
    """What happened and what was wrong."""
    login = Login(server.tls, True, "alice@example.test", PASSWORD)
    ledger, broken = asyncio.run(run(login, seconds=seconds, seed=random.randrange(10**6), clients=CLIENTS))
    return ledger.counts, broken


def test_random_clients_are_never_told_anything_wrong(imap_server: Running, alice: Account) -> None:
    counts, broken = played(imap_server, seconds=5)
    assert not broken, broken[0]
    assert counts["compared"] >= 1


def test_they_notice_a_server_that_counts_wrong(
    imap_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = view.View._expunged

    def forgetful(self: view.View, telling: view.Telling) -> bytes:
        self._left = set(list(self._left)[1:]) or self._left
        return real(self, telling)

    monkeypatch.setattr(view.View, "_expunged", forgetful)
    assert played(imap_server, seconds=60)[1]
