"""Counting failures, in this process and in Redis."""

from __future__ import annotations

import pytest
import redis

from accounts import throttle


class Clock:
    """Time that only moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("accounts.throttle.time.monotonic", made)
    monkeypatch.setattr(throttle, "_quiet_until", float("inf"))  # nobody asks Redis
    return made


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_an_address_belongs_to_a_block(address: str, block: str) -> None:
    assert throttle.block_of(address) == block


def test_without_redis_half_the_failures_are_allowed_and_come_back_one_by_one(clock: Clock) -> None:
    limit = throttle.ACCOUNT_FAILURES // 2
    step = throttle.WINDOW_S / limit
    assert [waiting("a") for _ in range(limit)] == [0] * limit
    assert 0 < waiting("a") <= step + 1
    clock.now += step + 1
    assert waiting("a") == 0
    assert waiting("a") > 0
    clock.now += throttle.WINDOW_S + 1
    assert [waiting("a") for _ in range(limit)] == [0] * limit


def test_a_refused_attempt_does_not_make_the_wait_longer(clock: Clock) -> None:
    for _ in range(throttle.ACCOUNT_FAILURES):
        waiting("a")
    first = waiting("a")
    assert [waiting("a") for _ in range(50)] == [first] * 50


def test_attempts_at_the_same_time_are_counted_before_they_are_judged(clock: Clock) -> None:
    attempts = [throttle.take("a", "192.0.2.1") for _ in range(100)]
    assert sum(not attempt.retry_after_s for attempt in attempts) == throttle.ACCOUNT_FAILURES // 2


def test_success_gives_back_its_own_attempt_only(clock: Clock) -> None:
    limit = throttle.ACCOUNT_FAILURES // 2
    for _ in range(limit - 1):
        waiting("a")
    throttle.succeeded(throttle.take("a", "198.51.100.1"))
    assert waiting("a") == 0
    assert waiting("a") > 0


def test_a_known_place_is_forgotten_after_thirty_days(clock: Clock) -> None:
    throttle.succeeded(throttle.take("a", "198.51.100.1"))
    assert len(throttle.take("a", "198.51.100.200").keys) == 1
    clock.now += throttle.KNOWN_FOR_S + 1
    assert len(throttle.take("a", "198.51.100.1").keys) == 2


def test_the_memory_of_one_process_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "LOCAL_ENTRIES", 10)
    for number in range(100):
        waiting(f"n{number}")
    assert len(throttle.local._full) == 10


def test_redis_counts_for_all_processes(shared: redis.Redis) -> None:
    answers = [waiting("a") for _ in range(throttle.ACCOUNT_FAILURES + 5)]
    assert answers[: throttle.ACCOUNT_FAILURES] == [0] * throttle.ACCOUNT_FAILURES
    throttle.local.clear()  # as another process would see it
    assert 0 < waiting("a") <= throttle.WINDOW_S / throttle.ACCOUNT_FAILURES
    assert waiting("b", "203.0.113.9") == 0
    assert all(0 < shared.ttl(key) <= throttle.WINDOW_S + 1 for key in shared.scan_iter())


def test_redis_gives_back_and_remembers_the_place(shared: redis.Redis) -> None:
    for _ in range(100):
        throttle.succeeded(throttle.take("a", "198.51.100.1"))
    throttle.local.clear()
    for _ in range(throttle.ACCOUNT_FAILURES + 1):
        waiting("a", "203.0.113.1")
    assert waiting("a", "203.0.113.1") > 0
    assert waiting("a", "198.51.100.99") == 0


def test_a_refusal_is_told_once(shared: redis.Redis) -> None:
    attempt = throttle.take("a", "192.0.2.1")
    assert [throttle.first_refusal(attempt) for _ in range(3)] == [True, False, False]


def test_keys_show_no_names(shared: redis.Redis) -> None:
    throttle.succeeded(throttle.take("alice@example.test", "192.0.2.1"))
    waiting("bob@example.test", "192.0.2.1")
    assert shared.dbsize()
    assert not any(b"example" in key or b"192.0" in key for key in shared.scan_iter())


def test_a_redis_that_goes_away_is_asked_once_and_then_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def gone() -> redis.Redis:
        tries.append(1)
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(throttle, "client", gone)
    monkeypatch.setattr(throttle, "_quiet_until", 0.0)
    for _ in range(throttle.ACCOUNT_FAILURES):
        waiting("a")
    assert waiting("a") > 0
    assert len(tries) == 1
    assert "this process only" in caplog.text


def waiting(login: str, remote_address: str = "192.0.2.1") -> int:
    return throttle.take(login, remote_address).retry_after_s


def test_looking_refuses_as_taking_would_and_counts_nothing(shared: redis.Redis) -> None:
    for _ in range(3):
        assert throttle.look("a@example.test", "192.0.2.1").retry_after_s == 0
    assert shared.keys("*") == []
    for _ in range(throttle.ACCOUNT_FAILURES):
        assert throttle.take("a@example.test", "192.0.2.1").retry_after_s == 0
    looked, taken = throttle.look("a@example.test", "192.0.2.1"), throttle.take("a@example.test", "192.0.2.1")
    assert taken.retry_after_s > 0
    assert abs(looked.retry_after_s - taken.retry_after_s) <= 1


def test_what_was_only_looked_at_is_counted_when_it_fails(shared: redis.Redis) -> None:
    for _ in range(throttle.ACCOUNT_FAILURES):
        throttle.failed(throttle.look("a@example.test", "192.0.2.1"))
    assert throttle.look("a@example.test", "192.0.2.1").retry_after_s > 0


def test_looking_counts_in_this_process_without_redis(clock: Clock) -> None:
    for _ in range(throttle.ACCOUNT_FAILURES // 2):
        throttle.failed(throttle.look("a@example.test", "192.0.2.1"))
    assert throttle.look("a@example.test", "192.0.2.1").retry_after_s > 0
    clock.now += throttle.WINDOW_S
    assert throttle.look("a@example.test", "192.0.2.1").retry_after_s == 0


def test_one_counter_that_is_full_is_enough_to_be_refused(shared: redis.Redis) -> None:
    for number in range(throttle.BLOCK_FAILURES):
        throttle.take(f"somebody{number}@example.test", "192.0.2.1")
    assert throttle.look("a@example.test", "192.0.2.1").retry_after_s > 0
    assert throttle.look("a@example.test", "198.51.100.1").retry_after_s == 0
