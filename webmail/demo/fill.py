"""Makes the demo once. A note in DATA_DIR says how far it came, so a second run does nothing and an interrupted one
goes on with the same letters."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from webmail.demo import administered, company, marks, post, script, thrown_away, unfinished, unwanted, ways


class DomainTakenError(Exception):
    """There is a domain of the demo's name that the demo has not made."""


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """`arrived` and `sent` letters were delivered by this run; all zero when everything was there."""

    arrived: int = 0
    sent: int = 0
    drafts: int = 0


def fill() -> Filled:
    """Company, mails and drafts, durably. Raises DomainTakenError."""
    note = settings.DATA_DIR / "demo.json"
    state = _read(note)
    if state is None:
        if company.exists():
            raise DomainTakenError
        state = {"now": timezone.now().isoformat(), "is_complete": False}
        _write(note, state)
    if state["is_complete"] and company.exists():
        return Filled()
    if not company.exists():
        company.create()
    now = datetime.datetime.fromisoformat(str(state["now"]))
    delivered = post.deliver_all(script.letters(now), now)
    drafts = unfinished.create_drafts()
    marks.put_marks()
    ways.fill()
    unwanted.fill()
    thrown_away.fill()
    administered.fill()
    _write(note, state | {"is_complete": True})
    return Filled(delivered.arrived, delivered.sent, drafts)


def _read(note: Path) -> dict[str, object] | None:
    return json.loads(note.read_text()) if note.exists() else None


def _write(note: Path, state: dict[str, object]) -> None:
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps(state))
    fresh.replace(note)
