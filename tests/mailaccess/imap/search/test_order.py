"""SORT by any criteria is a stable sort by the values that the RFC names, read by the standard library."""

from __future__ import annotations

import datetime
import email
import email.policy
import email.utils
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from core.access import Access
from mailaccess.imap.grammar.sort import NAMES
from tests.mailaccess.conftest import Running
from tests.mailaccess.imap.search.test_search import opened
from tests.mailstore.letters import letter, stored

SENDERS = ["Zoe <b@x.test>", "a@z.test", "anna <c@y.test>", "Ärne <d@y.test>"]
SUBJECTS = ["b", "A", "Re: a", "c (fwd)", "[x] B", "ähnlich"]
BASES = {"Re: a": "a", "c (fwd)": "c", "[x] B": "B"}
DATES = ["Sat, 03 Jan 2026 01:00:00 +0800", "Fri, 02 Jan 2026 20:00:00 +0000", "Fri, 02 Jan 2026 14:00:00 -0800"]
FOLDED = str.maketrans("ä", "a")


def raws() -> list[bytes]:
    """Twelve."""
    found = []
    for number in range(12):
        extra = f"Date: {DATES[number % 3]}" + (f"\r\nCc: {SENDERS[number % 4]}" if number % 5 == 0 else "")
        raw = letter(
            f"n{number}",
            sender=SENDERS[number * 7 % 4],
            to=SENDERS[number % 4],
            subject=SUBJECTS[number * 5 % 6],
            body="x" * (number * 5 % 7),
            extra=extra,
        )
        found.append(raw.replace(b"Date: Mon, 05 Jan 2026 09:00:00 +0800\r\n", b""))
    return found


def value(name: str, raw: bytes, arrived: int) -> Any:
    """What one criterion compares. The names here are such that order by case-folded, decomposed letters is obvious."""
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    field = {"DISPLAYFROM": "From", "DISPLAYTO": "To"}.get(name, name.capitalize())
    if name == "ARRIVAL":
        return arrived
    if name == "SIZE":
        return len(raw)
    if name == "DATE":
        return email.utils.parsedate_to_datetime(str(parsed["Date"])).astimezone(datetime.UTC)
    if name == "SUBJECT":
        return _key(BASES.get(str(parsed["Subject"]), str(parsed["Subject"])))
    people = email.utils.getaddresses([str(parsed.get(field, ""))])
    shown, address = people[0] if people else ("", "")
    return _key((shown or address) if name.startswith("DISPLAY") else address.partition("@")[0])


def _key(text: str) -> tuple[str, int]:
    """A decomposed letter comes behind the plain one."""
    return text.lower().translate(FOLDED), int("ä" in text.lower())


def test_any_criteria_sort_as_a_naive_sort_does(imap_server: Running, mine: Access) -> None:
    everything = list(enumerate(raws(), 1))
    arrivals = {number: 1_700_000_000_000_000 + number * 5 % 7 * 1_000_000 for number, _ in everything}
    for number, raw in everything:
        stored(mine, raw, at_us=arrivals[number])
    talk = opened(imap_server)

    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(st.sampled_from(sorted(NAMES)), st.booleans()), min_size=1, max_size=4))
    def check(criteria: list[tuple[str, bool]]) -> None:
        said = " ".join(f"{'REVERSE ' * reverse}{name}" for name, reverse in criteria)
        wanted = everything
        for name, reverse in reversed(criteria):
            wanted = sorted(
                wanted, key=lambda mail, name=name: value(name, mail[1], arrivals[mail[0]]), reverse=reverse
            )
        answer = talk.say(f"SORT ({said}) UTF-8 ALL".encode())
        assert answer[0] == b"* SORT " + b" ".join(b"%d" % number for number, _ in wanted), said

    check()
    talk.close()
