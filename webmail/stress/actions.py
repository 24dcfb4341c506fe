"""The things that a client does, each a few commands and what is known of their outcome."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from webmail.stress.ledger import Flags, claim
from webmail.stress.mirror import Mirror
from webmail.stress.responses import Response, numbers
from webmail.stress.session import Session

if TYPE_CHECKING:
    from webmail.stress.player import Player

FLAGS = (b"\\Seen", b"\\Flagged", b"\\Answered", b"\\Draft", b"\\Deleted", b"$Forwarded", b"$Todo", b"Project")
MANY = 60
FEW = 8
HEADER = b"BODY.PEEK[HEADER.FIELDS (X-Marker)]"


async def one(player: Player) -> None:
    """A random one."""
    session, chance = player.session, player.chance
    assert session is not None
    assert session.mirror is not None
    count = len(session.mirror.messages)
    if count < FEW:
        await append(player, session)
    elif count > MANY:
        await remove(player, session)
    else:
        names, weights = zip(*WEIGHTS.items(), strict=True)
        await chance.choices(names, weights)[0](player, session)
    await learn(session)


async def learn(session: Session, *, everything: bool = False) -> None:
    """Ask for the UIDs and flags of what is not known."""
    mirror = session.mirror
    assert mirror is not None
    items = b"(UID FLAGS MODSEQ)" if session.mode else b"(UID FLAGS)"
    first = 1 if everything and mirror.messages else first_unknown(mirror)
    while first:
        await session.ok(b"FETCH %d:* %b" % (first, items))
        if first_unknown(mirror):
            await session.ok(b"NOOP")  # those are gone; now it may be told, and so may be what came
        first = first_unknown(mirror)


def first_unknown(mirror: Mirror) -> int:
    """The first message whose UID or flags were not told, 0 for none."""
    return next((at for at, each in enumerate(mirror.messages, 1) if not each.uid or each.flags is None), 0)


def chosen(mirror: Mirror, chance: random.Random) -> tuple[bytes, list[int], list[int]]:
    """A random set by number, the numbers in it, and their UIDs (0 for unknown)."""
    count = len(mirror.messages)
    first = chance.randint(1, count)
    last = min(count, first + chance.choice((0, 0, 1, 3, 10)))
    picked = list(range(first, last + 1))
    if chance.random() < 0.2:
        picked = sorted({chance.randint(1, count) for _ in range(4)})
        return b",".join(b"%d" % each for each in picked), picked, [mirror.messages[n - 1].uid for n in picked]
    return b"%d:%d" % (first, last), picked, [mirror.messages[n - 1].uid for n in picked]


def target(session: Session, chance: random.Random) -> tuple[bytes, bytes, list[int]]:
    """`UID ` or nothing, a set, the UIDs in it."""
    assert session.mirror is not None
    asked, _, uids = chosen(session.mirror, chance)
    known = [uid for uid in uids if uid]
    if known and chance.random() < 0.6:
        return b"UID ", b",".join(b"%d" % uid for uid in known), known
    return b"", asked, known


async def fetch(player: Player, session: Session) -> None:
    """FETCH of random items."""
    chance = player.chance
    uid, asked, _ = target(session, chance)
    items = chance.choice(
        (
            b"(UID FLAGS)", b"FLAGS", b"(UID " + HEADER + b")", b"(UID FLAGS BODY[])", b"ALL", b"(UID BODY[TEXT]<3.20>)",
            b"(UID BODYSTRUCTURE INTERNALDATE RFC822.SIZE)", b"(UID RFC822.HEADER)", b"FULL",
        )
    )  # fmt: skip
    await session.ok(uid + b"FETCH " + asked + b" " + items)


async def check_markers(player: Player, session: Session) -> None:
    """Every message is what it was."""
    await session.ok(b"FETCH 1:* (UID %b)" % HEADER)


async def changed(player: Player, session: Session) -> None:
    """FETCH of what changed since a while ago."""
    assert session.mirror is not None
    if not session.mode:
        return
    since = max(1, session.mirror.modseq - player.chance.randint(0, 20))
    vanished = b" VANISHED" if session.mode == "QRESYNC" else b""
    await session.ok(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d%b)" % (since, vanished))
    for each in session.heard:
        if each.name == b"FETCH":
            claim(b"MODSEQ" in each.values[2], f"CHANGEDSINCE without MODSEQ: {each}")


async def store(player: Player, session: Session) -> None:
    """STORE, with what is known of the outcome."""
    chance, mirror = player.chance, session.mirror
    assert mirror is not None
    uid, asked, uids = target(session, chance)
    how = chance.choice((b"+", b"-", b""))
    flags = frozenset(chance.sample(FLAGS, chance.choice((1, 1, 2))))
    if b"\\Deleted" in flags and how != b"-":
        player.ledger.doomed |= {(mirror.box, each) for each in uids}
    silent = chance.random() < 0.4
    condition = b""
    if session.mode and not silent and chance.random() < 0.4:
        condition = b"(UNCHANGEDSINCE %d) " % max(1, mirror.modseq - chance.choice((0, 0, 3, 20)))
    if silent:
        for each in mirror.messages:
            if each.uid in uids and each.flags is not None:
                each.flags = after_store(each.flags, how, flags)
    words = [uid + b"STORE", asked, condition + how + b"FLAGS" + (b".SILENT" if silent else b"")]
    await session.ok(b" ".join([*words, b"(" + b" ".join(sorted(flags)) + b")"]))


def after_store(before: Flags, how: bytes, flags: Flags) -> Flags:
    """What STORE makes of flags."""
    if how == b"+":
        return before | flags
    return before - flags if how == b"-" else flags


async def append(player: Player, session: Session) -> None:
    """APPEND; sometimes several at once, sometimes to another folder."""
    chance, ledger = player.chance, player.ledger
    assert session.mirror is not None
    box = session.mirror.box if chance.random() < 0.8 else chance.choice(("INBOX", "Work"))
    several = b"MULTIAPPEND" in session.capabilities and chance.random() < 0.3
    markers = [b"%b-%08x" % (player.name.encode(), chance.getrandbits(32)) for _ in range(3 if several else 1)]
    ledger.tried |= set(markers)
    command = b"APPEND " + box.encode()
    for marker in markers:
        letter = b"X-Marker: %b\r\nSubject: stress\r\n\r\n%b\r\n" % (
            marker,
            b"text \xe4\xb8\xad " * chance.randint(0, 300),
        )
        flags = chance.choice((b"", b" ()", b" (\\Seen)", b" (\\Flagged Project)"))
        command += b"%b {%d+}\r\n%b" % (flags, len(letter), letter)
    answer = await session.ok(command)
    uidvalidity, uids = _uids(answer.code, b"APPENDUID")
    claim(uidvalidity == ledger.uidvalidity.get(box, uidvalidity), "APPENDUID has another UIDVALIDITY")
    claim(len(uids) == len(markers), f"{answer.code!r} for {len(markers)} messages")
    for uid, marker in zip(uids, markers, strict=True):
        ledger.promise((box, uid), marker)


def _uids(code: bytes, name: bytes) -> tuple[int, list[int]]:
    words = code.split(b" ")
    claim(words[0] == name and len(words) == 3, f"{name!r} expected, {code!r}")
    return int(words[1]), numbers(words[2])


async def copy(player: Player, session: Session) -> None:
    """COPY into a random folder."""
    uid, asked, _ = target(session, player.chance)
    box = player.chance.choice(("INBOX", "Work"))
    answer = (await session.say([uid + b"COPY " + asked + b" " + box.encode()]))[0]
    if answer.status == b"OK" and answer.code:
        _copied(player, session, answer, box)


async def move(player: Player, session: Session) -> None:
    """MOVE into another folder."""
    assert session.mirror is not None
    uid, asked, uids = target(session, player.chance)
    here = session.mirror.box
    player.ledger.doomed |= {(here, each) for each in uids}
    box = "Work" if here != "Work" else "INBOX"
    answer = (await session.say([uid + b"MOVE " + asked + b" " + box.encode()]))[0]
    told = next((each for each in session.heard if each.code.startswith(b"COPYUID")), answer)
    if answer.status == b"OK" and told.code.startswith(b"COPYUID"):
        _copied(player, session, told, box)


def _copied(player: Player, session: Session, answer: Response, box: str) -> None:
    """COPYUID: what was there is here (RFC 4315 3)."""
    assert session.mirror is not None
    words = answer.code.split(b" ")
    claim(words[0] == b"COPYUID" and len(words) == 4, f"COPYUID expected, {answer.code!r}")
    sources, made = numbers(words[2]), numbers(words[3])
    claim(len(sources) == len(made), f"{answer.code!r}")
    for source, uid in zip(sources, made, strict=True):
        here = (session.mirror.box, source)
        player.ledger.promise((box, uid), player.ledger.markers.get(here))
        if here in player.ledger.doomed:
            player.ledger.doomed.add((box, uid))  # \\Deleted was copied with it


async def remove(player: Player, session: Session) -> None:
    """Mark and expunge, all or by UID."""
    chance, mirror = player.chance, session.mirror
    assert mirror is not None
    uids = [each.uid for each in mirror.messages if each.uid]
    uids = chance.sample(uids, min(len(uids), chance.choice((1, 3, 12))))
    if not uids:
        return
    asked = b",".join(b"%d" % uid for uid in uids)
    player.ledger.doomed |= {(mirror.box, uid) for uid in uids}
    commands = [b"UID STORE " + asked + b" +FLAGS (\\Deleted)"]
    commands.append(b"UID EXPUNGE " + asked if chance.random() < 0.5 else b"EXPUNGE")
    if chance.random() < 0.5:
        for each in commands:
            await session.ok(each)
    else:
        await session.say(commands)


async def noop(player: Player, session: Session) -> None:
    """NOOP or CHECK."""
    await session.ok(player.chance.choice((b"NOOP", b"CHECK", b"CAPABILITY")))


async def idle(player: Player, session: Session) -> None:
    """IDLE for a moment."""
    await session.idle(player.chance.choice((0.0, 0.02, 0.3)))


async def status(player: Player, session: Session) -> None:
    """STATUS of a folder."""
    await session.ok(b"STATUS Work (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")
    await session.ok(b'LIST "" "*"')


async def pipeline(player: Player, session: Session) -> None:
    """Several commands without waiting; by UID, because numbers may move between them."""
    assert session.mirror is not None
    uids = [each.uid for each in session.mirror.messages if each.uid]
    commands = []
    for _ in range(player.chance.randint(2, 5)):
        uid = player.chance.choice(uids) if uids else 1
        commands.append(
            player.chance.choice(
                (b"UID FETCH %d (FLAGS BODY.PEEK[TEXT])", b"UID STORE %d +FLAGS (\\Seen)", b"UID FETCH %d:* (UID)")
            )
            % uid
        )
    await session.say([*commands, b"NOOP"])


async def search(player: Player, session: Session) -> None:
    """SEARCH: what it names exists and has what was asked for; all of it, unless something changed meanwhile."""
    mirror = session.mirror
    assert mirror is not None
    by_uid = player.chance.random() < 0.5
    key = player.chance.choice(list(KEYS))
    known = [(each.uid if by_uid else number, each.flags) for number, each in enumerate(mirror.messages, 1)]
    await session.ok((b"UID " if by_uid else b"") + b"SEARCH " + key)
    found = next((each.values[1:] for each in session.heard if each.name == b"SEARCH"), [])
    named = {int(each) for each in found if isinstance(each, bytes)}
    claim(named <= {name for name, _ in known}, f"SEARCH {key!r} named {named - {name for name, _ in known}}")
    if {each.name for each in session.heard} & {b"FETCH", b"EXPUNGE", b"VANISHED"}:
        return
    right = {name for name, flags in known if flags is not None and KEYS[key](flags)}
    # Who counts by number is not told yet of what left, and does not find it (RFC 9051 7.5.1).
    claim(named == right if by_uid else named <= right, f"SEARCH {key!r} found {named}, really {right}")


KEYS: dict[bytes, Callable[[Flags], bool]] = {
    b"ALL": lambda _: True,
    b"FLAGGED": lambda flags: b"\\Flagged" in flags,
    b"UNSEEN": lambda flags: b"\\Seen" not in flags,
    b"NOT DELETED": lambda flags: b"\\Deleted" not in flags,
    b"KEYWORD Project": lambda flags: b"Project" in flags,
    b"OR KEYWORD $Todo ANSWERED": lambda flags: bool({b"$Todo", b"\\Answered"} & flags),
    b"SAVEDSINCE 1-Jan-2020 FLAGGED": lambda flags: b"\\Flagged" in flags,
}

Action = Callable[["Player", Session], Awaitable[None]]
WEIGHTS: dict[Action, int] = {
    fetch: 20, check_markers: 4, changed: 8, store: 25, append: 14, copy: 6, move: 6, remove: 8, noop: 6, idle: 6,
    status: 2, pipeline: 6, search: 6,
}  # fmt: skip
