"""The MIME tree: numbers, ranges, and what is done with trees that are wrong."""

from __future__ import annotations

import pytest

from mailstore.message.structure import COMMON_BYTES, structure


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


@pytest.mark.parametrize(
    "described",
    [
        b"Content-Type: text/html; charset=gbk\r\nContent-Transfer-Encoding: BASE64\r\n",
        b"Content-Disposition: attachment;\r\n filename=a.pdf\r\nContent-ID: <x@y>\r\nContent-Type: application/pdf\r\n",
        b"Content-Language: zh\r\nContent-Location: a\r\nContent-Description: \xe4\xb8\xad\r\n",
        b"not a field\r\n",
        b"Content-Type: text/html\nX: 1\r\n",
        b"",
    ],
)
@pytest.mark.parametrize("kind", [b"mixed", b"digest"])
def test_a_part_with_a_short_header_is_read_as_one_with_a_long_header(described: bytes, kind: bytes) -> None:
    def part(padding: bytes) -> list[object]:
        head = b"Content-Type: multipart/" + kind + b"; boundary=b\r\n\r\n--b\r\n"
        raw = head + padding + described + b"\r\nbody\r\n\r\nmore\r\n--b--\r\n"
        (node,) = structure(raw).children
        said = [
            getattr(node, name) for name in ("type", "subtype", "parameters", "encoding", "disposition", "filename")
        ]
        said += [node.content_id, node.description, node.language, node.location, node.message is None]
        return [*said, raw[node.body_offset : node.body_end]]

    assert part(b"") == part(b"") == part(b"X-Padding: " + b"x" * COMMON_BYTES + b"\r\n")
