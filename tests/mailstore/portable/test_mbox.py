"""mbox: separators, quoting of both kinds, flags, dates, and nothing in memory but one message."""

from __future__ import annotations

import io
import mailbox
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from mailstore.models import Flag
from mailstore.portable.items import Item, Unreadable
from mailstore.portable.mbox import read_mbox, write_message

LIMIT = 1 << 20
AT = 1_763_980_920_000_000


def read(content: bytes, tmp_path: Path, *, limit: int = LIMIT) -> list[Item | Unreadable]:
    """What is in a file of this content."""
    path = tmp_path / "INBOX.mbox"
    path.write_bytes(content)
    return list(read_mbox(path, ("INBOX",), max_bytes=limit))


def written(*items: Item) -> bytes:
    """A file of these."""
    file = io.BytesIO()
    for item in items:
        write_message(file, item)
    return file.getvalue()


def item(raw: bytes, flags: int = 0, keywords: tuple[str, ...] = ()) -> Item:
    """A message with flags."""
    return Item("x", ("INBOX",), raw, flags, keywords, AT)


@pytest.mark.parametrize(
    ("line", "meant"),
    [(b">From me", b"From me"), (b">>From me", b">From me"), (b"> From me", b"> From me"), (b">Fromme", b">Fromme")],
)
def test_quoted_lines_lose_one_mark(line: bytes, meant: bytes, tmp_path: Path) -> None:
    (found,) = read(b"From a@b Mon Nov 24 10:42:00 2025\nSubject: x\n\n" + line + b"\n", tmp_path)
    assert isinstance(found, Item)
    assert found.raw == b"Subject: x\r\n\r\n" + meant + b"\r\n"
    assert found.internal_us == AT


def test_from_in_the_middle_of_a_paragraph_separates_nothing(tmp_path: Path) -> None:
    found = read(b"From a\nS: 1\n\nDear\nFrom here on\n\nFrom b\nS: 2\n\nbody\n", tmp_path)
    assert [each.raw for each in found if isinstance(each, Item)] == [
        b"S: 1\r\n\r\nDear\r\nFrom here on\r\n",
        b"S: 2\r\n\r\nbody\r\n",
    ]


@pytest.mark.parametrize(
    ("date", "at_s"),
    [
        (b"Mon Nov 24 10:42:00 2025", 1_763_980_920),
        (b"Mon Nov 24 10:42 2025", 1_763_980_920),
        (b"Mon Nov 24 10:42:00 CST 2025", 1_763_980_920),
        (b"Mon Nov 24 18:42:00 2025 +0800", 1_763_980_920),
        (b"Mon Nov 24 07:12:00 2025 -0330", 1_763_980_920),
        (b"Mon Nov 31 10:42:00 2025", None),
        (b"one day", None),
    ],
)
def test_dates_of_separators(date: bytes, at_s: int | None, tmp_path: Path) -> None:
    (found,) = read(b"From a@b " + date + b"\nS: 1\n\nx\n", tmp_path)
    assert isinstance(found, Item)
    assert found.internal_us == (None if at_s is None else at_s * 1_000_000)


def test_flags_of_other_programs_are_read_and_their_lines_stay(tmp_path: Path) -> None:
    raw = b"Subject: x\nStatus: RO\nX-Status: AF\nX-Keywords: $Label1 bad(atom $Forwarded\n\nbody\n"
    (found,) = read(b"From a\n" + raw, tmp_path)
    assert isinstance(found, Item)
    assert found.flags == Flag.SEEN | Flag.ANSWERED | Flag.FLAGGED | Flag.FORWARDED
    assert found.keywords == ("$Label1",)
    assert found.raw == raw.replace(b"\n", b"\r\n")


def test_one_that_is_too_large_and_an_empty_one_are_reported_and_the_next_is_read(tmp_path: Path) -> None:
    large = b"From a\nS: 1\n\n" + b"x" * 70_000 + b"\n" * 2
    found = read(large + b"From b\n\n\nFrom c\nS: 3\n\nok\n", tmp_path, limit=50_000)
    assert [type(each) for each in found] == [Unreadable, Unreadable, Item]
    assert "50000" in found[0].reason  # type: ignore[union-attr]


def test_python_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(
        written(item(b"Subject: \xe4\r\n\r\nFrom here\r\n", int(Flag.SEEN | Flag.FLAGGED)), item(b"S: 2\r\n\r\n"))
    )
    first, second = mailbox.mbox(path)
    assert first.get_flags() == "ROF"
    assert first.get_payload() == ">From here\n"
    assert second["S"] == "2"


FLAGS = st.integers(0, 127)
LINES = st.lists(
    st.sampled_from([b"", b"From ", b">From x", b">>From y", b"text", b"Status: R", b"X-Status: D", b"\xff"])
)


@given(st.lists(st.tuples(LINES, FLAGS, st.lists(st.sampled_from(["$Label1", "work"]), unique=True)), max_size=4))
def test_what_is_written_is_read_again(mails: list[tuple[list[bytes], int, list[str]]]) -> None:
    items = [
        item(b"Subject: x\r\n\r\n" + b"".join(line + b"\r\n" for line in lines), flags, tuple(keywords))
        for lines, flags, keywords in mails
    ]
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = read(written(*items), Path(folder))
    assert [(each.raw, each.flags, each.keywords, each.internal_us) for each in found if isinstance(each, Item)] == [
        (each.raw, each.flags, each.keywords, AT) for each in items
    ]
