"""Moments go into rows and come back without losing a microsecond."""

from __future__ import annotations

import datetime

import pytest

from core.times import micros, moment


@pytest.mark.parametrize("us", [0, 1, -1, 1_732_943_999_999_999, 253_402_300_799_999_999])
def test_there_and_back(us: int) -> None:
    assert micros(moment(us)) == us


def test_other_zones_mean_the_same_moment() -> None:
    shanghai = datetime.timezone(datetime.timedelta(hours=8))
    assert micros(datetime.datetime(1970, 1, 1, 8, 0, 0, 5, tzinfo=shanghai)) == 5
    assert moment(1_000_001) == datetime.datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=datetime.UTC)
