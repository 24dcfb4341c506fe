"""Where mails are placed."""

from __future__ import annotations

import dataclasses

from mailstore.models import Role
from mailstore.services.incoming import Placement

FULL = Placement(1, Role.JUNK, 2, 3, "also@here.test", 4, "[]", 5, (6,))


def test_a_judged_placement_differs_in_nothing_else() -> None:
    plain = Placement(0)
    unset = [each.name for each in dataclasses.fields(FULL) if getattr(FULL, each.name) == getattr(plain, each.name)]
    assert unset == []  # a new field must be told apart here too
    assert FULL.judged("[1]") == dataclasses.replace(FULL, judgement="[1]")
