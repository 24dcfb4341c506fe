"""The letters as they are written down."""

from __future__ import annotations

import datetime
import zoneinfo
from collections import Counter

import pytest

from webmail.demo import script
from webmail.demo.script import CHINA, Letter, letters, moment, people

NOON = datetime.datetime(2026, 11, 25, 12, 0, tzinfo=CHINA)
RESERVED = ("example.com", "example.net", "example.org", "example.test")


@pytest.fixture(scope="module")
def told() -> list[Letter]:
    """Everything, from a fixed noon."""
    return letters(NOON)


def test_there_are_some_three_hundred_letters(told: list[Letter]) -> None:
    assert 270 <= len(told) <= 360


def test_every_letter_has_a_name_of_its_own(told: list[Letter]) -> None:
    assert len({letter.message_id for letter in told}) == len(told)


def test_nothing_comes_from_the_future_and_all_of_it_from_the_last_weeks(told: list[Letter]) -> None:
    assert all(NOON - datetime.timedelta(days=45) < letter.at <= NOON for letter in told)


def test_today_and_yesterday_have_mail(told: list[Letter]) -> None:
    days = Counter((NOON.date() - letter.at.astimezone(CHINA).date()).days for letter in told)
    assert days[0] >= 15
    assert days[1] >= 15


def test_an_answer_comes_after_what_it_answers(told: list[Letter]) -> None:
    answers = [letter for letter in told if letter.parent is not None]
    assert len(answers) > 80
    assert all(letter.parent and letter.parent.at < letter.at for letter in answers)


@pytest.mark.parametrize("clock", ["00:00", "00:01", "08:30", "23:59"])
def test_at_any_hour_today_ends_now_and_keeps_its_order(clock: str) -> None:
    hours, minutes = map(int, clock.split(":"))
    now = NOON.replace(hour=hours, minute=minutes)
    told = letters(now)
    assert max(letter.at for letter in told) <= now
    assert all(letter.parent is None or letter.parent.at <= letter.at for letter in told)


def test_a_moment_of_today_lies_between_midnight_and_now() -> None:
    assert moment(0, "12:00", NOON) == NOON.replace(hour=6)
    assert moment(1, "09:30", NOON) == NOON.replace(day=24, hour=9, minute=30)


def test_references_name_the_whole_thread_oldest_first(told: list[Letter]) -> None:
    letter = max(told, key=lambda each: len(each.references))
    assert len(letter.references) >= 6
    by_id = {each.message_id: each for each in told}
    times = [by_id[name].at for name in letter.references]
    assert times == sorted(times)
    assert letter.parent is not None
    assert letter.references[-1] == letter.parent.message_id


def test_threads_go_both_ways(told: list[Letter]) -> None:
    pairs = {(letter.parent.sender.is_ours, letter.sender.is_ours) for letter in told if letter.parent}
    assert pairs == {(False, True), (True, False), (True, True), (False, False)}


def test_an_answer_and_a_forward_say_so_in_the_language_of_their_writer(told: list[Letter]) -> None:
    assert {letter.subject[:3] for letter in told if letter.parent} == {"Re:", "回复：", "转发：", "Fwd"}


def test_every_address_lies_in_a_reserved_domain() -> None:
    domains = {each.address.rpartition("@")[2] for each in people().values()}
    assert all(name.endswith(RESERVED) for name in domains)


def test_every_zone_is_known() -> None:
    assert {each.time_zone for each in people().values()} <= zoneinfo.available_timezones()


def test_the_same_day_tells_the_same_letters() -> None:
    script.people.cache_clear()
    assert letters(NOON) == letters(NOON)
