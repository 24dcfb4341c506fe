"""The MIME tree: numbers, ranges, and what is done with trees that are wrong."""

from __future__ import annotations

from mailstore.message.structure import structure


def tree(raw: bytes) -> list[tuple[str, str, bytes]]:
    return [
        (n.number, n.content_type, raw[n.body_offset : n.body_end]) for n in structure(raw).walk() if not n.children
    ]


def test_the_break_before_a_boundary_belongs_to_it() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n\n--b  \r\n\r\ntwo\r\n--b--\nepilogue"
    assert tree(raw) == [("1", "text/plain", b"one\n"), ("2", "text/plain", b"two")]


def test_an_outer_boundary_ends_what_is_inside() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/mixed; boundary=in\n\n"
        b"--in\n\none\n--out\n\ntwo\n--in\n--out--\n"
    )
    assert tree(raw) == [("1.1", "text/plain", b"one"), ("2", "text/plain", b"two\n--in")]


def test_a_boundary_that_begins_like_another_is_told_apart() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b1\n\n"
        b"--b1\n\none\n--b1--\n--b\n\ntwo\n--b--\n"
    )
    assert tree(raw) == [("1.1", "text/plain", b"one"), ("2", "text/plain", b"two")]


def test_the_parts_of_a_digest_are_messages() -> None:
    raw = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\nhello\n--b--"
    assert [(number, kind) for number, kind, _body in tree(raw)] == [("1", "message/rfc822"), ("1.1", "text/plain")]


def test_a_message_inside_a_single_message_is_numbered_below_one() -> None:
    raw = b"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--"
    assert [number for number, _kind, _body in tree(raw)] == ["1", "1.1"]


def test_an_encoded_message_stays_a_file() -> None:
    raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA=="
    assert [n.message for n in structure(raw).walk()] == [None]


def test_a_type_that_can_not_be_read_is_text() -> None:
    for value in (b"", b"text", b"te xt/plain", b"/", b"a/b/c d", b"\xff/\xfe"):
        assert structure(b"Content-Type: " + value + b"\n\nx").content_type == "text/plain"


def test_an_empty_part_is_a_part() -> None:
    assert tree(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n--b--") == [
        ("1", "text/plain", b""),
        ("2", "text/plain", b""),
    ]
