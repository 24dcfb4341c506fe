"""The Date field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from mailstore.message.date import date_at, date_us

DATES = [
    (b" Tue, 13 Oct 2026 09:15:02 +0000", "2026-10-13T09:15:02+00:00"),
    (b"13 Oct 2026 17:15:02 +0800", "2026-10-13T17:15:02+08:00"),
    (b"Tue, 13 Oct 2026 17:15:02 +0800 (CST)", "2026-10-13T17:15:02+08:00"),
    (b"Tue, 13 Oct 2026 09:15 GMT", "2026-10-13T09:15:00+00:00"),
    (b"Tue, 13 Oct 26 09:15:02 EST", "2026-10-13T14:15:02+00:00"),
    (b"Thu, 31 Dec 2026 23:59:60 -0330", "2026-12-31T23:59:59-03:30"),
    (b"Tue,\r\n 13 Oct 2026 09:15:02 +0000", "2026-10-13T09:15:02+00:00"),
]


@pytest.mark.parametrize(("value", "expected"), DATES)
def test_dates_are_read_in_the_forms_that_mail_has(value: bytes, expected: str) -> None:
    at = datetime.fromisoformat(expected)
    assert date_at(value) == at
    assert date_us(value) == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"yesterday",
        b"Tue, 31 Feb 2026 00:00:00 +0000",
        b"1 Jan 1969 00:00:00 +0000",
        b"1 Jan 9999 00:00:00 +0000",
        b"1 Jan 2026 00:00:00 +99999999999999",
        b"1 1 1 1 1 1",
        b"Tue, 13 Abc 2026 09:15:02 +0000",
        None,
    ],
)
def test_what_is_no_date_is_none(value: bytes | None) -> None:
    assert date_us(value) is None
    assert date_at(value) is None


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_every_date_comes_back_with_its_zone(at: datetime, minutes: int) -> None:
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    found = date_at(f"{at:%d %b %Y %H:%M:%S} {zone}".encode())
    assert found is not None
    assert found.replace(tzinfo=None) == at.replace(microsecond=0)
    assert found.utcoffset() == timedelta(minutes=minutes)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_date_or_none(value: bytes) -> None:
    date_at(value)
