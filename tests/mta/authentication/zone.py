"""DNS as a dict for the checks, which are functions of bytes and of what DNS says."""

from __future__ import annotations

from mta.authentication.resolver import FAILED, NOTHING, Answer, Look, Status

Records = dict[tuple[str, str], object]
"""(name, type) to records as `Answer` has them; FAILED stands for a name server that does not answer."""


def looking(records: Records) -> Look:
    """A `look` that knows everything."""

    def look(name: str, kind: str) -> Answer:
        found = records.get((name.lower().rstrip("."), kind))
        if found is None:
            return NOTHING
        return FAILED if found is FAILED else Answer(Status.FOUND, tuple(found))  # type: ignore[arg-type]

    return look
