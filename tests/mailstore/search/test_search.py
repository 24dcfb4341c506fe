"""The evaluator: right for every question, bounded in what it reads, and blind to what is not the reader's."""

from __future__ import annotations

import dataclasses
import datetime
import random
import re
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.models import Flag, Role
from mailstore.search.indexer import Indexer
from mailstore.search.query import parse
from mailstore.search.tree import Age, And, Day, Field, In, Is, Label, Node, Not, Or, Size, State, Text, Unit
from mailstore.search.words import fold, pattern
from mailstore.selectors import search as searching
from mailstore.selectors.search import search
from mailstore.services.entries import copy, delete, move, purge, recover
from mailstore.services.folders import create_folder
from mailstore.services.keywords import create_label, set_keywords
from tests.mailstore.letters import folder_id, letter, stored, stored_many

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=ZONE)
DAY_US = 86_400_000_000


def us(when: datetime.datetime) -> int:
    """Microseconds since 1970."""
    return round(when.timestamp() * 1_000_000)


def found(access: Access, question: str | Node, *, limit: int = 50, pages: int = 100) -> list[int]:
    """The entries of every page."""
    tree = parse(question).tree if isinstance(question, str) else question
    assert tree is not None
    entries: list[int] = []
    after = ""
    for _ in range(pages):
        page = search(access, tree, now=NOW, after=after, limit=limit)
        entries += [row.entry_id for row in page.rows]
        if page.next is None:
            return entries
        after = page.next
    raise AssertionError("the pages don't end")


class TestWords:
    """One mail each."""

    @pytest.fixture
    def mail(self, mine: Access, indexer: Indexer) -> int:
        """A mail with words in every place."""
        raw = letter(
            "a",
            sender="王小明 <wang.xm@partner.test>",
            subject="第二季度採購合同",
            body="请查收 PO-2024-001 的发票。Companies from Zürich were invoiced. ＡＢＣ",
            extra="Cc: =?utf-8?B?5p2O6Iqz?= <li@copy.test>\r\nList-Id: Buyers <buyers.partner.test>",
        )
        entry = stored(mine, raw)
        stored(mine, letter("b", sender="Bob <bob@other.test>", to="c@d.test", subject="nothing", body="else"))
        indexer.drain()
        return entry

    @pytest.mark.parametrize(
        "question",
        [
            "发票",
            "採購",
            "采购合同",
            '"第二季度"',
            "company",
            "COMPANIES",
            "zurich",
            "abc",
            "PO-2024-001",
            "2024",
            "王",
            "wang.xm@partner.test",
            "partner.test",
            "from:王",
            "from:小明",
            "from:wang",
            "to:alice",
            "to:li@copy.test",
            "cc:李芳",
            "subject:合同",
            "list:buyers",
            "invoic*",
            "合同 发票",
            "合同 OR 量子",
            "(量子 OR 合同) -bob",
            "合同 -量子",
            "-else",
            "-subject:nothing",
            "合同 !!!",
        ],
    )
    def test_it_is_found_by(self, mine: Access, mail: int, question: str) -> None:
        assert found(mine, question) == [mail]

    @pytest.mark.parametrize(
        "question",
        [
            "合同发票",
            "季采",
            "voice",
            "from:合同",
            "to:wang",
            "cc:alice",
            "subject:发票",
            '"companies invoiced"',
            "合同 else",
            "合同 -发票",
            "量子",
            "小王",
        ],
    )
    def test_it_is_not_found_by(self, mine: Access, mail: int, question: str) -> None:
        assert found(mine, question) == []

    def test_a_question_without_words_finds_nothing(self, mine: Access, mail: int) -> None:
        assert found(mine, Text("!?")) == []


@dataclasses.dataclass(frozen=True)
class Fact:
    """What the oracle knows of an entry."""

    entry: int
    at_us: int
    subject: str
    body: str
    sender: str
    folder: Role
    flags: Flag
    size: int
    is_labelled: bool

    def holds(self, node: Node) -> bool:
        """Whether it answers the question, by looking at it."""
        match node:
            case And(parts):
                return all(self.holds(part) for part in parts)
            case Or(parts):
                return any(self.holds(part) for part in parts)
            case Not(part):
                return not self.holds(part)
            case Text(value, field, is_prefix):
                places = {Field.SUBJECT: [self.subject], Field.FROM: [self.sender]}
                texts = places.get(field, [self.subject, self.sender, self.body])
                return any(re.search(pattern(value, is_prefix=is_prefix), fold(text)) for text in texts)
            case Is(State.UNREAD):
                return not self.flags & Flag.SEEN
            case Is(State.STARRED):
                return bool(self.flags & Flag.FLAGGED)
            case In("anywhere"):
                return True
            case In(name):
                return self.folder.value == name
            case Label(_):
                return self.is_labelled
            case Day(day, is_after):
                start = us(datetime.datetime.combine(day, datetime.time(), ZONE))
                return self.at_us >= start if is_after else self.at_us < start
            case Age(number, unit, is_newer):
                moment = us(NOW) - number * unit.seconds * 1_000_000
                return self.at_us >= moment if is_newer else self.at_us < moment
            case Size(size, is_smaller):
                return self.size < size if is_smaller else self.size > size
        raise AssertionError(node)


def make_facts(mine: Access, dice: random.Random, count: int) -> list[Fact]:
    """Mails of a few words over a few weeks, several in one second."""
    label = create_label(mine, "VIP").id
    facts = []
    vocabulary = ["合同", "发票", "invoice", "price", "list", "报价单", "meeting"]
    for number in range(count):
        subject = " ".join(dice.sample(vocabulary, 2))
        body = " ".join(dice.choices(vocabulary, k=dice.randint(1, 6))) + " x" * dice.choice([0, 0, 3_000])
        sender = dice.choice(["王小明 <wang@a.test>", "Anna <anna@b.test>", "Bob <bob@b.test>"])
        role = dice.choice([Role.INBOX, Role.INBOX, Role.INBOX, Role.SENT, Role.TRASH, Role.JUNK])
        flags = Flag(dice.choice([0, 1, 1, 4, 5]))
        at_us = us(NOW) - dice.randint(0, 60) * DAY_US // 2
        raw = letter(f"m{number}", sender=sender, subject=subject, body=body)
        entry = stored(mine, raw, role=role, flags=int(flags), at_us=at_us)
        is_labelled = dice.random() < 0.2
        if is_labelled:
            set_keywords(mine, [entry], add=[label])
        facts.append(Fact(entry, at_us, subject, body, sender, role, flags, len(raw), is_labelled))
    return facts


def a_question(dice: random.Random, depth: int = 2) -> Node:
    """Any tree over words, facts and both."""
    if depth and dice.random() < 0.6:
        parts = tuple(a_question(dice, depth - 1) for _ in range(dice.randint(2, 3)))
        return And(parts) if dice.random() < 0.6 else Or(parts)
    if dice.random() < 0.25:
        return Not(a_question(dice, 0))
    leaves: list[Node] = [
        Text("合同"),
        Text("发票 invoice"),
        Text("报价"),
        Text("price list"),
        Text("pri", is_prefix=True),
        Text("meeting", Field.SUBJECT),
        Text("王", Field.FROM),
        Text("b.test", Field.FROM),
        Is(State.UNREAD),
        Is(State.STARRED),
        In("inbox"),
        In("trash"),
        In("anywhere"),
        Label("vip"),
        Day(datetime.date(2026, 2, 15), is_after=dice.random() < 0.5),
        Age(10, Unit.DAY, is_newer=dice.random() < 0.5),
        Size(3_000, is_smaller=dice.random() < 0.5),
    ]
    return dice.choice(leaves)


def names_a_folder(node: Node, *, is_positive: bool = True) -> bool:
    """Whether trash and junk are searched too."""
    if isinstance(node, Not):
        return names_a_folder(node.part, is_positive=not is_positive)
    if isinstance(node, And | Or):
        return any(names_a_folder(part, is_positive=is_positive) for part in node.parts)
    return isinstance(node, In) and is_positive


@pytest.mark.parametrize("seed", range(3))
def test_every_question_finds_what_looking_at_each_mail_finds(
    mine: Access, indexer: Indexer, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    facts = make_facts(mine, dice, 70)
    indexer.drain()
    for _ in range(40):
        question = a_question(dice)
        monkeypatch.setattr(searching, "SCAN", dice.choice([7, 40, 4_000]))
        shown = [fact for fact in facts if names_a_folder(question) or fact.folder not in (Role.TRASH, Role.JUNK)]
        expected = {fact.entry for fact in shown if fact.holds(question)}
        entries = found(mine, question, limit=dice.choice([1, 4, 50]), pages=500)
        assert sorted(entries) == sorted(expected), question
        times = [next(fact.at_us for fact in facts if fact.entry == entry) for entry in entries]
        assert times == sorted(times, reverse=True), question


def test_folders_by_name_in_any_case(mine: Access, indexer: Indexer) -> None:
    folder = create_folder(mine, "Customers 客户")
    entry = stored(mine, letter("a", subject="contract"))
    stored(mine, letter("b", subject="contract"))
    move(mine, [entry], folder_id=folder)
    indexer.drain()
    assert found(mine, 'contract in:"customers 客户"') == [entry]
    assert found(mine, 'in:"customers 客户"') == [entry]
    assert found(mine, "in:nowhere contract") == []


def test_attachments_answered_and_forwarded(mine: Access, indexer: Indexer) -> None:
    with_file = stored(mine, letter("a", extra="Content-Disposition: attachment; filename=报价单.txt"))
    answered = stored(mine, letter("b"), flags=int(Flag.ANSWERED))
    forwarded = stored(mine, letter("c"), flags=int(Flag.FORWARDED | Flag.SEEN))
    indexer.drain()
    assert found(mine, "有附件") == [with_file]
    assert found(mine, "filename:报价单") == [with_file]
    assert found(mine, "is:answered") == [answered]
    assert found(mine, "is:forwarded") == [forwarded]
    assert found(mine, "is:read") == [forwarded]


def test_moved_deleted_purged_and_recovered_mail(mine: Access, indexer: Indexer) -> None:
    entry = stored(mine, letter("a", subject="contract"))
    indexer.drain()
    move(mine, [entry], folder_id=folder_id(mine, Role.SENT))
    assert found(mine, "contract in:sent") == [entry]
    delete(mine, [entry])
    assert found(mine, "contract") == []
    assert found(mine, "contract in:trash") == [entry]
    purge(mine, [entry])
    assert found(mine, "contract in:anywhere") == []
    recover(mine, [entry])
    assert found(mine, "contract") == [entry]


def test_a_mail_in_two_folders_is_two_rows_on_one_page(mine: Access, indexer: Indexer) -> None:
    entry = stored(mine, letter("a", subject="contract"))
    (other,) = copy(mine, [entry], folder_id=folder_id(mine, Role.SENT))
    indexer.drain()
    assert sorted(found(mine, "contract", limit=1)) == sorted([entry, other])


class TestWhoMayLook:
    """Rights."""

    @pytest.fixture
    def entry(self, mine: Access, his: Access, indexer: Indexer) -> int:
        """The same words in two mailboxes."""
        stored(his, letter("b", subject="secret contract"))
        entry = stored(mine, letter("a", subject="secret contract"))
        indexer.drain()
        return entry

    @pytest.mark.parametrize("question", ["secret", "-nothing", "is:unread", "secret OR is:starred", "in:anywhere"])
    def test_other_mailboxes_never_appear(self, mine: Access, his: Access, entry: int, question: str) -> None:
        assert found(mine, question) == [entry]
        assert entry not in found(his, question)

    @pytest.mark.parametrize(
        "question", ["secret", "-nothing", "is:unread", "secret OR is:starred", "in:anywhere", "in:inbox"]
    )
    def test_locked_folders_never_appear(self, mine: Access, entry: int, question: str) -> None:
        inbox = folder_id(mine)
        sql.run("UPDATE mailstore_folder SET lock_scope = 'own' WHERE id = %s", [inbox])
        assert found(mine, question) == []
        unlocked = dataclasses.replace(mine, unlocked=frozenset({inbox}))
        assert found(unlocked, question) == [entry]

    def test_it_needs_the_right_to_read(self, mine: Access, entry: int) -> None:
        with pytest.raises(MailError) as refused:
            found(dataclasses.replace(mine, rights=Right.FLAG), "secret")
        assert refused.value.kind is ErrorKind.NO_PERMISSION

    def test_a_continuation_of_another_mailbox_shows_nothing_of_it(self, mine: Access, his: Access, entry: int) -> None:
        tree = parse("secret").tree
        assert tree is not None
        rows = search(mine, tree, now=NOW, after=f"k{(his.mailbox + 1) << 36}").rows
        assert [row.entry_id for row in rows] in ([entry], [])


@pytest.mark.parametrize("after", ["x", "k", "kk", "k-1", "k99999999999999999999", "d", "d1", "d~eA.5", "d1.x", "k１"])
def test_a_continuation_that_is_not_ours_is_refused(mine: Access, indexer: Indexer, after: str) -> None:
    stored_many(mine, 3)
    indexer.drain()
    for question in ("letter", "is:unread"):
        tree = parse(question).tree
        assert tree is not None
        with pytest.raises(MailError) as refused:
            search(mine, tree, now=NOW, after=after)
        assert refused.value.kind is ErrorKind.INVALID


def test_a_page_reads_no_more_of_a_larger_mailbox(mine: Access, indexer: Indexer) -> None:
    """Queries, and on SQLite the virtual machine's steps in both files, must not grow with the mailbox."""
    questions = ["letter", "is:unread", "letter is:unread", "-nothing", "letter OR is:starred", "from:wang -nothing"]

    def cost(question: str) -> tuple[int, int]:
        tree = parse(question).tree
        assert tree is not None
        search(mine, tree, now=NOW)
        with CaptureQueriesContext(connection) as queries, Steps() as steps:
            search(mine, tree, now=NOW)
        return len(queries), steps.count

    stored_many(mine, 300)
    indexer.drain()
    small = {question: cost(question) for question in questions}
    stored_many(mine, 2_700, first=300)
    indexer.drain()
    for question, (queries, steps) in small.items():
        large = cost(question)
        assert large[0] == queries, question
        assert large[1] <= steps * 1.5 + 20, (question, steps, large)


class Steps:
    """Counts SQLite's steps by the hundred, on both connections."""

    def __enter__(self) -> Steps:
        self.count = 0
        self._set(100)
        return self

    def __exit__(self, *_: object) -> None:
        self._set(0)

    def _set(self, every: int) -> None:
        if connection.vendor != "sqlite":
            return
        from mailstore.search.sqlite import _database

        for database in (connection.connection, _database()):
            database.set_progress_handler(self._step if every else None, every or 1)

    def _step(self) -> int:
        self.count += 1
        return 0
