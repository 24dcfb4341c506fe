"""Waking workers."""

from __future__ import annotations

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from core import jobs


class GoneBroker:
    """Counts how often anybody tried."""

    tries = 0

    def send_task(self, *_args: object, **_options: object) -> None:
        self.tries += 1
        raise OperationalError("no route to the broker")


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> GoneBroker:
    broker = GoneBroker()
    monkeypatch.setattr(jobs, "current_app", broker)
    monkeypatch.setattr(jobs, "_quiet_until", 0.0)
    return broker


def test_a_broker_that_is_gone_is_forgiven(gone: GoneBroker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    jobs.wake("mta.send_due", 1)
    assert "the sweep will find its rows" in caplog.text


def test_a_broker_that_is_gone_is_not_asked_again_at_once(gone: GoneBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.wake("mta.send_due", 1)
    jobs.wake("mta.send_due", 2)
    assert gone.tries == 1
    monkeypatch.setattr(jobs, "_quiet_until", 0.0)
    jobs.wake("mta.send_due", 3)
    assert gone.tries == 2


@pytest.mark.django_db(transaction=True)
def test_a_task_is_sent_after_the_commit_and_never_after_a_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(jobs, "wake", lambda task, *_args, **_options: sent.append(task))
    with transaction.atomic():
        jobs.wake_on_commit("first")
        assert sent == []
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.wake_on_commit("second")
        raise RuntimeError
    assert sent == ["first"]
