"""THREAD of a view: the mails as values from columns, their trees, the answer. What was answered is remembered: the same
messages make the same trees."""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence

from mailaccess.imap.search.columns import columns
from mailaccess.imap.search.order import ranks
from mailaccess.imap.search.reading import Steps
from mailaccess.imap.search.threads import Mails, Trees, ordered_subject, references, written

ALGORITHMS: dict[bytes, Callable[[Mails], Trees]] = {
    b"REFERENCES": references,
    b"ORDEREDSUBJECT": ordered_subject,
}
MAX_ANCESTORS = 2_000_000
"""Of all messages of one THREAD; of more, each message's nearest count."""
MAX_KEPT_BYTES = 16 << 20
DIGITS = 16


class Answers:
    """Answers of this process by what they were made of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, key: bytes) -> bytes | None:
        """A remembered answer."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: bytes, answer: bytes) -> None:
        """Remember, and forget the oldest beyond MAX_KEPT_BYTES."""
        with self._lock:
            self._kept[key] = answer
            while sum(map(len, self._kept.values())) > MAX_KEPT_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)

    def forget(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._kept.clear()


answers = Answers()


def threaded(
    folder_id: int, uids: array[int], positions: Sequence[int], algorithm: bytes, *, by_uid: bool
) -> Steps[bytes]:
    """`* THREAD …`."""
    places = array("I", positions)
    parts = (b"%d %b %d" % (folder_id, algorithm, by_uid), uids.tobytes(), places.tobytes())
    key = hashlib.blake2b(b"".join(parts)).digest()
    known = answers.get(key)
    if known is not None:
        return known
    mails = yield from _mails(folder_id, uids, places, algorithm)
    trees = ALGORITHMS[algorithm](mails)
    yield False
    text = written(trees, [str(uids[at]) if by_uid else str(at + 1) for at in places])
    answer = f"* THREAD{' ' * bool(text)}{text}\r\n".encode()
    answers.put(key, answer)
    return answer


def _mails(folder_id: int, uids: array[int], places: Sequence[int], algorithm: bytes) -> Steps[Mails]:
    ranked = yield from ranks(folder_id, uids, "by-subject")
    dates = yield from columns.numbers(folder_id, uids, "sent")
    subject, sent = [ranked[at] for at in places], [dates[at] for at in places]
    if algorithm == b"ORDEREDSUBJECT":
        return Mails((), (), subject, (), sent)
    replies = yield from columns.numbers(folder_id, uids, "is-reply")
    own = yield from columns.numbers(folder_id, uids, "own")
    lines = (yield from columns.lines(folder_id, uids, "ancestors")).split(b"\n")
    nearest = max(1, MAX_ANCESTORS // max(1, len(places))) * DIGITS
    ancestors = [_ids(lines[at][-nearest:]) for at in places]
    return Mails([own[at] for at in places], ancestors, subject, [replies[at] for at in places], sent)


def _ids(line: bytes) -> Sequence[int]:
    return [int(line[begin : begin + DIGITS], 16) for begin in range(0, len(line), DIGITS)] if line else ()
