"""SEARCH over a real socket finds what a naive reading of the RFC finds, for any keys in any nesting."""

from __future__ import annotations

import datetime
import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from core.access import Access
from mailaccess.imap.search import evaluate, letters, run
from mailaccess.imap.search.letters import Letter
from mailstore import sql
from mailstore.models import Flag
from mailstore.search.indexer import Indexer
from mailstore.selectors.folder_state import uids_of
from mailstore.services.entries import purge
from mailstore.services.keywords import make_keyword, set_keywords
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running, Talk
from tests.mailaccess.imap.search import naive
from tests.mailaccess.imap.search.naive import Asked, Mail
from tests.mailstore.letters import letter, stored

BASE = datetime.datetime(2026, 1, 3, 20, 0, tzinfo=datetime.UTC)
SENT = ["Sat, 03 Jan 2026 23:30:00 -0500", "Sun, 04 Jan 2026 00:30:00 +0800", "Mon, 05 Jan 2026 12:00:00 +0000", ""]
SUBJECTS = ["Invoice for March", "发票 2026", "Re: invoicing", "BUDGET Überblick", "", "會議 agenda"]
SENDERS = ["Anna Wang <anna@partner.test>", "王小明 <wang@partner.test>", '"Miller, John" <j.miller@other.test>']
TO = ["alice@example.test", "Team <team@example.test>, bob@example.test", "friends: carol@x.test, dave@x.test;"]
BODIES = ["Dear all, see the report", "请查收附件,谢谢", "The QUICK brown fox", "voicemail café"]
WORDS = [
    "invoice",
    "voic",
    "发票",
    "会议",
    "anna",
    "miller",
    "partner.test",
    "report",
    "quick b",
    "cafe",
    "x",
    "",
    "谢",
]
DAYS = [datetime.date(2026, 1, day) for day in (2, 3, 4, 5, 6)]


def mails() -> list[Mail]:
    """Fourteen that differ in everything a key can ask for."""
    found = []
    for number in range(14):
        extra = [f"Date: {SENT[number % 4]}"] if SENT[number % 4] else []
        extra += [f"Cc: {SENDERS[number % 3]}"] if number % 5 == 0 else []
        extra += ["X-Kind: Special offer"] if number % 4 == 1 else []
        raw = letter(
            f"n{number}",
            subject=SUBJECTS[number % 6],
            sender=SENDERS[number % 3],
            to=TO[number % 3],
            body=BODIES[number % 4] * (1 + number % 2 * 20),
            extra="\r\n".join(extra),
        )
        raw = raw.replace(b"Date: Mon, 05 Jan 2026 09:00:00 +0800\r\n", b"")
        flags = Flag(number * 37 % 32)
        internal = BASE + datetime.timedelta(hours=7 * number)
        found.append(Mail(raw, 0, 0, flags, {"work"} if number % 3 == 0 else set(), internal))
    return found


def leaves() -> st.SearchStrategy[Asked]:
    """Single keys."""
    bits = st.booleans()
    number = st.integers(1, 20)
    return st.one_of(
        st.just(Asked("ALL", lambda mail: True)),
        st.builds(lambda name, is_set: naive.flag(name, is_set=is_set), st.sampled_from([*naive.SYSTEM]), bits),
        st.builds(lambda atom, is_set: naive.keyword(atom, is_set=is_set), st.sampled_from(["WORK", "nothing"]), bits),
        st.builds(
            naive.holds, st.sampled_from(["SUBJECT", "FROM", "TO", "CC", "BODY", "TEXT"]), st.sampled_from(WORDS)
        ),
        st.builds(naive.header, st.sampled_from(["X-Kind", "x-none"]), st.sampled_from(["special", "", "l o", "q"])),
        st.builds(
            lambda how, day, sent: naive.dated(how, day, sent=sent),
            st.sampled_from(["BEFORE", "ON", "SINCE"]),
            st.sampled_from(DAYS),
            bits,
        ),
        st.builds(lambda bound, larger: naive.sized(bound, larger=larger), st.sampled_from([0, 300, 400, 9_999]), bits),
        st.builds(lambda low, high, by_uid: naive.numbered(low, high, by_uid=by_uid), number, number, bits),
    )


def keys() -> st.SearchStrategy[Asked]:
    """Nested ones."""
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.builds(naive.turned, inner),
            st.builds(naive.either, inner, inner),
            st.builds(naive.every, st.lists(inner, min_size=1, max_size=3)),
        ),
        max_leaves=6,
    )


def filled(mine: Access) -> list[Mail]:
    """Store the mails; what is left of them after two have gone, so that numbers are not UIDs."""
    word = make_keyword(mine, "work").id
    kept = mails()
    ids = []
    for mail in kept:
        at_us = round(mail.internal.timestamp() * 1_000_000)
        ids.append(stored(mine, mail.raw, flags=int(mail.flags), at_us=at_us))
        if mail.keywords:
            set_keywords(mine, ids[-1:], add=[word])
    for mail, entry_id in zip(kept, ids, strict=True):
        mail.uid = uids_of([entry_id])[entry_id]
    purge(mine, [ids[2], ids[9]])
    kept = [mail for number, mail in enumerate(kept) if number not in (2, 9)]
    for number, mail in enumerate(kept, 1):
        mail.number = number
    return kept


def opened(server: Running) -> Talk:
    """A session with INBOX selected."""
    talk = server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    talk.say(b"SELECT INBOX")
    return talk


def numbers(lines: list[bytes]) -> list[int]:
    """Those of the one SEARCH answer."""
    assert lines[-1] == b"a OK Searched", lines
    found = [line for line in lines if line.startswith(b"* SEARCH")]
    assert len(found) == 1
    return [int(each) for each in found[0].split()[2:]]


def test_any_nesting_of_keys_finds_what_a_naive_search_finds(imap_server: Running, mine: Access) -> None:
    everything = filled(mine)
    talk = opened(imap_server)

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(keys(), min_size=1, max_size=3))
    def check(asked: list[Asked]) -> None:
        said = " ".join(key.said for key in asked).encode()
        wanted = [mail for mail in everything if all(key.means(mail) for key in asked)]
        assert numbers(talk.say(b"SEARCH " + said)) == [mail.number for mail in wanted], said
        assert numbers(talk.say(b"UID SEARCH CHARSET UTF-8 " + said)) == [mail.uid for mail in wanted], said

    check()
    talk.close()


@pytest.fixture
def by_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if every folder were large: words are the index's."""
    monkeypatch.setattr(evaluate, "EXACT_MESSAGES", -1)
    yield


@pytest.mark.usefixtures("by_index")
@pytest.mark.parametrize("indexed", [0, 6, 14])
def test_words_are_found_whether_the_index_has_them_or_not(imap_server: Running, mine: Access, indexed: int) -> None:
    everything = filled(mine)
    if indexed:
        _index_some(indexed)
    talk = opened(imap_server)
    for word in ("report", "repo", "查收", "附件,谢", "quick brown", "QUICK", "fox", "voicemail", "café", "nothing"):
        for name in ("TEXT", "BODY"):
            key = naive.holds(name, word)
            wanted = [mail.number for mail in everything if key.means(mail)]
            assert numbers(talk.say(b"SEARCH " + key.said.encode())) == wanted, (name, word)
            assert numbers(talk.say(b"SEARCH NOT " + key.said.encode())) == [
                mail.number for mail in everything if not key.means(mail)
            ]
    talk.close()


def _index_some(count: int) -> None:
    """Let the indexer take in that many."""
    indexer = Indexer()
    while count > 0:
        done = indexer.round()
        if not done:
            break
        count -= done
    indexer.close()


@pytest.mark.usefixtures("by_index")
def test_the_body_is_not_the_header(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("a", subject="Contract draft", body="nothing of it"))
    stored(mine, letter("b", subject="Hello", body="the contract is signed"))
    _index_some(2)
    talk = opened(imap_server)
    assert numbers(talk.say(b"SEARCH BODY contract")) == [2]
    assert numbers(talk.say(b"SEARCH TEXT contract")) == [1, 2]
    assert numbers(talk.say(b"SEARCH BODY draft")) == []
    talk.close()


@pytest.mark.usefixtures("by_index")
def test_a_draft_that_no_index_holds_is_found(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("a", body="peculiar"), flags=int(Flag.DRAFT))
    _index_some(1)
    sql.run("DELETE FROM mailstore_searchtodo")
    talk = opened(imap_server)
    assert numbers(talk.say(b"SEARCH TEXT peculiar")) == [1]
    talk.close()


@pytest.mark.usefixtures("by_index")
def test_many_whose_header_has_the_word_count_for_the_body(
    imap_server: Running, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What docs/rfc.md says of large folders."""
    stored(mine, letter("a", subject="Contract draft", body="nothing of it"))
    _index_some(1)
    monkeypatch.setattr(evaluate, "VERIFIED_MESSAGES", 0)
    talk = opened(imap_server)
    assert numbers(talk.say(b"SEARCH BODY contract")) == [1]
    talk.close()


def test_what_is_told_later_is_found_later_and_what_is_gone_is_not(imap_server: Running, mine: Access) -> None:
    found = [stored(mine, letter(f"n{number}", subject=f"Plan {number}")) for number in range(3)]
    talk = opened(imap_server)
    assert numbers(talk.say(b"SEARCH SUBJECT plan")) == [1, 2, 3]
    stored(mine, letter("n3", subject="Plan 3"))
    purge(mine, found[:1])
    assert numbers(talk.say(b"SEARCH SUBJECT plan")) == [2, 3]
    assert talk.say(b"NOOP")[:-1] == [b"* 1 EXPUNGE"]
    assert numbers(talk.say(b"UID SEARCH SUBJECT plan")) == [2, 3, 4]
    talk.close()


def test_no_expunge_is_told_while_a_client_counts_by_number(imap_server: Running, mine: Access) -> None:
    found = [stored(mine, letter(f"n{number}")) for number in range(3)]
    talk = opened(imap_server)
    for command in (b"SEARCH ALL", b"SORT (DATE) UTF-8 ALL", b"THREAD REFERENCES UTF-8 ALL"):
        purge(mine, [found.pop()])
        assert not [line for line in talk.say(command) if b"EXPUNGE" in line]
        assert [line for line in talk.say(b"UID " + command) if b"EXPUNGE" in line]
    talk.close()


def test_imaplib_searches_sorts_and_threads(imap_server: Running, mine: Access) -> None:
    stored(mine, letter("a", subject="Zebra"))
    stored(mine, letter("b", subject="Apple", references=["a"]))
    client = imap_server.imap()
    client.select()
    client.literal = "预算".encode("gbk")
    assert client.search("GBK", "SUBJECT") == ("OK", [b""])
    client.literal = "王小明".encode()
    assert client.search("UTF-8", "FROM") == ("OK", [b"1 2"])
    assert client.sort("(SUBJECT)", "UTF-8", "ALL") == ("OK", [b"2 1"])
    assert client.thread("REFERENCES", "UTF-8", "ALL") == ("OK", [b"(1 2)"])
    assert client.uid("SEARCH", "RETURN", "(COUNT)", "ALL")[0] == "OK"
    client.logout()


def test_an_email_and_a_conversation_are_found_by_their_ids(imap_server: Running, mine: Access) -> None:
    for name, above in (("a", []), ("b", ["a"]), ("c", [])):
        stored(mine, letter(name, references=above))
    talk = opened(imap_server)
    lines = [line.decode() for line in talk.say(b"FETCH 1:3 (EMAILID THREADID)")[:-1]]
    emails = [re.search(r"EMAILID \((\w+)\)", line)[1] for line in lines]  # type: ignore[index]
    threads = [re.search(r"THREADID \((\w+)\)", line)[1] for line in lines]  # type: ignore[index]
    assert threads[0] == threads[1] != threads[2]
    assert numbers(talk.say(f"SEARCH EMAILID {emails[1]}".encode())) == [2]
    assert numbers(talk.say(f"SEARCH THREADID {threads[0]}".encode())) == [1, 2]
    assert numbers(talk.say(f"SEARCH THREADID {threads[2]}".encode())) == [3]
    assert numbers(talk.say(b"SEARCH OR EMAILID M0 THREADID Tfffffffffffffff")) == []
    talk.close()


def test_a_folder_deleted_meanwhile_is_a_clear_no_or_a_closed_line(imap_server: Running, mine: Access) -> None:
    talk = opened(imap_server)
    talk.say(b"CREATE Passing")
    talk.say(b"SELECT Passing")
    other = opened(imap_server)
    assert other.say(b"DELETE Passing")[-1].startswith(b"a OK")
    answer = talk.say(b"SEARCH RETURN (SAVE) ALL")[-1]
    assert answer.startswith(b"a NO") or not answer
    other.close()
    talk.close()


def test_a_long_search_lets_others_work_and_ends_with_its_client(
    imap_server: Running, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        stored(mine, letter(f"n{number}"))
    entered, go = threading.Event(), threading.Event()
    read: list[bytes] = []

    def slow(letter: Letter) -> bool:
        read.append(letter.raw)
        entered.set()
        assert go.wait(60)
        return True

    monkeypatch.setattr(letters, "BATCH", 1)
    monkeypatch.setattr(run, "SLICE_S", 0.0)
    monkeypatch.setattr(evaluate, "FEW", 0)
    monkeypatch.setattr(letters, "in_header", lambda name, value: slow)
    talk, other = opened(imap_server), opened(imap_server)
    talk.send(b"a SEARCH HEADER X-Slow yes\r\n")
    assert entered.wait(60)
    assert other.say(b"SEARCH ALL")[-1] == b"a OK Searched"
    gate = imap_server.server.gate
    _hang_up(talk)
    _until(lambda: any(each.has_hung_up for each in gate.open))
    go.set()
    _until(lambda: len(gate.open) == 1)
    _hang_up(other)
    _until(lambda: not gate.tasks)
    assert len(read) < 6


def _hang_up(talk: Talk) -> None:
    """The file holds the socket open too."""
    talk.file.close()
    talk.close()


def _until(is_true: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if is_true():
            return
        time.sleep(0.01)
    raise AssertionError("it never was")


def test_too_many_keys_are_a_clear_no(imap_server: Running, mine: Access) -> None:
    talk = opened(imap_server)
    assert talk.say(b"SEARCH " + b"NOT " * 50 + b"ALL") == [b"a NO [LIMIT] Too many or too deep search keys"]
    assert talk.say(b"THREAD REFERENCES UTF-8 " + b"TEXT a " * 40 + b"ALL")[-1].startswith(b"a NO [LIMIT]")
    talk.close()
