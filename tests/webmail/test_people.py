"""Faces: what an avatar says."""

from __future__ import annotations

import pytest

from mailstore.message import Address
from webmail.people import faces, initials


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Anna Schmidt", "AS"),
        ("刘强", "刘"),
        ("李娜（财务部）", "李"),
        ("anna", "A"),
        ("anna.schmidt@example.test", "A"),
        ("Jean Claude van Damme", "JD"),
        ("", "?"),
        ("<>", "?"),
        ("Ольга Иванова", "ОИ"),
    ],
)
def test_initials_fit_the_script(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_the_reader_is_marked_and_everybody_keeps_his_colour() -> None:
    me, other = faces([Address("A", "Me@example.test"), Address("", "b@example.test")], {"me@example.test"})
    assert me.is_me
    assert not other.is_me
    assert other.shown == "b@example.test"
    assert me.colour == faces([Address("", "me@example.test")])[0].colour
