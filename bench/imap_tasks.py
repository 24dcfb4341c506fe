"""What mail programs ask of a server, timed: each task gives (seconds, how many things were done)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.corpus import letter
from bench.mail_client import Imap, Pop3

ENVELOPE = b"(UID FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)"
FIELDS = b"(BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID REFERENCES)])"
Timed = tuple[float, int]


@dataclass(frozen=True, slots=True)
class Target:
    """A server in the clear with a filled inbox."""

    imap: int
    pop3: int
    name: str
    password: str
    others: tuple[str, ...] = ()
    """Accounts with an empty inbox."""

    def open(self) -> Imap:
        """Signed in."""
        return Imap(self.imap, self.name, self.password)


def clocked(work: Callable[[], object]) -> float:
    """Seconds of `work`."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _answered(target: Target, command: bytes, *, warm: bool) -> Timed:
    client = target.open()
    count = client.select()
    command = command.replace(b"PAGE", b"%d:*" % max(1, count - 49))
    if warm:
        client.say(command)
    answers = []
    seconds = clocked(lambda: answers.append(client.say(command)))
    client.close()
    return seconds, answers[0].upper().count(b" FETCH (")


def flags(target: Target) -> Timed:
    """FETCH 1:* (FLAGS), the folder's index warm."""
    return _answered(target, b"FETCH 1:* (FLAGS)", warm=True)


def envelopes(target: Target) -> Timed:
    """Everything a list shows, of everything."""
    return _answered(target, b"FETCH 1:* " + ENVELOPE, warm=False)


def fields(target: Target) -> Timed:
    """Some header fields of everything."""
    return _answered(target, b"FETCH 1:* " + FIELDS, warm=False)


def page(target: Target) -> Timed:
    """The newest 50."""
    return _answered(target, b"FETCH PAGE " + ENVELOPE, warm=True)


def select(target: Target) -> Timed:
    """SELECT again."""
    client = target.open()
    client.select()
    seconds = clocked(lambda: [client.select() for _ in range(20)])
    client.close()
    return seconds, 20


def store_one(target: Target) -> Timed:
    """A flag on one message, 200 times."""
    client = target.open()
    numbers = random.Random(5).sample(range(1, client.select() + 1), 200)
    seconds = clocked(lambda: [client.say(b"STORE %d +FLAGS (\\Flagged)" % each) for each in numbers])
    client.say(b"STORE %b -FLAGS.SILENT (\\Flagged)" % b",".join(b"%d" % each for each in sorted(numbers)))
    client.close()
    return seconds, 200


def store_all(target: Target) -> Timed:
    """A flag on and off everything."""
    client = target.open()
    count = client.select()
    seconds = clocked(lambda: client.say(b"STORE 1:* +FLAGS (\\Answered)"))
    seconds += clocked(lambda: client.say(b"STORE 1:* -FLAGS (\\Answered)"))
    client.close()
    return seconds / 2, count


def copy(target: Target) -> Timed:
    """A tenth of the folder into another."""
    client = target.open()
    count = max(1, client.select() // 10)
    client.say(b"CREATE Copies")
    seconds = clocked(lambda: client.say(b"COPY 1:%d Copies" % count))
    client.say(b"DELETE Copies")
    client.close()
    return seconds, count


def append(target: Target) -> Timed:
    """500 mails of 8 KB, one by one."""
    client = target.open()
    client.say(b"CREATE Appended")
    letters = [letter(number) for number in range(7_000_000, 7_000_500)]
    seconds = clocked(lambda: [client.say(b"APPEND Appended {%d+}\r\n%b" % (len(each), each)) for each in letters])
    client.say(b"DELETE Appended")
    client.close()
    return seconds, len(letters)


def sessions(target: Target) -> Timed:
    """Login, SELECT, LOGOUT over ten connections."""

    def one(number: int) -> None:
        client = Imap(target.imap, target.others[number % len(target.others)], target.password)
        client.select()
        client.say(b"LOGOUT")
        client.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(one, range(50)))
        return clocked(lambda: list(pool.map(one, range(300)))), 300


def bodies(target: Target) -> Timed:
    """A thousand bodies spread over the folder, a command each."""
    client = target.open()
    numbers = sorted(random.Random(7).sample(range(1, client.select() + 1), 1_000))
    seconds = clocked(lambda: [client.say(b"FETCH %d (BODY.PEEK[])" % each) for each in numbers])
    client.close()
    return seconds, len(numbers)


def pop3_stat(target: Target) -> Timed:
    """Login and STAT, ten times."""

    def one() -> None:
        client = Pop3(target.pop3, target.name, target.password)
        client.one(b"STAT")
        client.one(b"QUIT")
        client.close()

    one()
    return clocked(lambda: [one() for _ in range(10)]), 10


def pop3_retr(target: Target) -> Timed:
    """A thousand mails."""
    client = Pop3(target.pop3, target.name, target.password)
    client.many(b"UIDL")
    seconds = clocked(lambda: [client.many(b"RETR %d" % number) for number in range(1, 1_001)])
    client.one(b"QUIT")
    client.close()
    return seconds, 1_000


TASKS: dict[str, Callable[[Target], Timed]] = {
    "FETCH 1:* (FLAGS), warm": flags,
    "FETCH 1:* envelopes": envelopes,
    "FETCH 1:* header fields": fields,
    "page of 50": page,
    "SELECT, warm": select,
    "STORE one": store_one,
    "STORE 1:*": store_all,
    "COPY of a tenth": copy,
    "APPEND one by one": append,
    "login SELECT LOGOUT ×10": sessions,
    "bodies one by one": bodies,
    "POP3 login STAT": pop3_stat,
    "POP3 RETR": pop3_retr,
}
