"""Who looks at what."""

from __future__ import annotations

import pytest

from core.access import EDITOR, OWNER, READER, Access, Right, system_access
from core.errors import ErrorKind, MailError


@pytest.mark.parametrize("right", list(Right))
def test_an_owner_has_every_right(right: Right) -> None:
    Access(actor=1, mailbox=1, rights=OWNER).require(right)


@pytest.mark.parametrize("right", [right for right in Right if right is not Right.READ])
def test_a_reader_has_no_other_right_than_reading(right: Right) -> None:
    access = Access(actor=2, mailbox=1, rights=READER)
    access.require(Right.READ)
    assert not access.may(right)
    with pytest.raises(MailError) as refused:
        access.require(right)
    assert refused.value.kind is ErrorKind.NO_PERMISSION


def test_every_bit_of_a_combined_right_is_needed() -> None:
    access = Access(actor=2, mailbox=1, rights=READER | Right.FLAG)
    assert not access.may(Right.FLAG | Right.MOVE)


def test_an_editor_may_not_send_nor_manage() -> None:
    access = Access(actor=2, mailbox=1, rights=EDITOR)
    assert not access.may(Right.SEND)
    assert not access.may(Right.MANAGE)


def test_the_system_acts_for_nobody_with_every_right() -> None:
    access = system_access(7)
    assert (access.actor, access.mailbox, access.rights) == (0, 7, OWNER)
