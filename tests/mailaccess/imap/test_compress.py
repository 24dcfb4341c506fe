"""COMPRESS=DEFLATE (RFC 4978) over a real socket, with TLS below it."""

from __future__ import annotations

import zlib

import pytest

from accounts.models import Account
from mailaccess.stream import PENDING_MAX
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running


class Squeezed:
    """A client that compresses."""

    def __init__(self, server: Running) -> None:
        self.talk = server.talk()
        self.talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
        self._out = zlib.compressobj(wbits=-15)
        self._in = zlib.decompressobj(wbits=-15)
        self._left = b""

    def begin(self, *, behind: bytes = b"") -> None:
        """COMPRESS; `behind` is a command sent in the same breath, compressed."""
        squeezed = self._out.compress(behind) + self._out.flush(zlib.Z_SYNC_FLUSH) if behind else b""
        self.talk.send(b"z COMPRESS DEFLATE\r\n" + squeezed)
        assert self.talk.line() == b"z OK DEFLATE from now on"

    def send(self, data: bytes) -> None:
        """Compressed and flushed."""
        self.talk.send(self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH))

    def until(self, tag: bytes) -> list[bytes]:
        """Lines up to the tagged one."""
        found: list[bytes] = []
        while not (found and found[-1].startswith(tag + b" ")):
            while b"\r\n" not in self._left:
                data = self.talk.file.read1(65536)
                assert data, "the server hung up"
                self._left += self._in.decompress(data)
            line, _, self._left = self._left.partition(b"\r\n")
            found.append(line)
        return found


@pytest.fixture
def client(imap_server: Running, alice: Account) -> Squeezed:
    """Signed in."""
    return Squeezed(imap_server)


def test_both_ways_are_compressed_from_the_answer_on(client: Squeezed) -> None:
    client.begin(behind=b"a NOOP\r\n")
    assert client.until(b"a") == [b"a OK Done"]
    client.send(b"b COMPRESS DEFLATE\r\nc CAPABILITY\r\n")
    assert client.until(b"b")[-1].startswith(b"b NO [COMPRESSIONACTIVE]")
    assert b"COMPRESS=DEFLATE" not in client.until(b"c")[0]
    client.talk.close()


def test_a_mail_that_grows_a_thousandfold_is_taken_piece_by_piece(client: Squeezed) -> None:
    client.begin()
    content = b"Subject: zeros\r\n\r\n" + b"0" * 20 * PENDING_MAX
    client.send(b"a APPEND INBOX {%d+}\r\n%b\r\nb STATUS INBOX (SIZE)\r\n" % (len(content), content))
    assert client.until(b"a")[-1].startswith(b"a OK [APPENDUID")
    assert b"(SIZE %d)" % len(content) in client.until(b"b")[0]
    client.talk.close()


def test_many_small_commands_in_one_small_packet_are_all_answered(client: Squeezed) -> None:
    client.begin()
    count = 3 * PENDING_MAX // 8
    client.send(b"a NOOP\r\n" * count + b"b NOOP\r\n")
    assert len(client.until(b"b")) == count + 1
    client.talk.close()


def test_nonsense_ends_the_connection(client: Squeezed) -> None:
    client.begin()
    client.talk.send(b"\xff" * 100)
    assert client.talk.is_closed()


def test_another_mechanism_is_refused_and_a_guest_too(imap_server: Running, alice: Account) -> None:
    talk = imap_server.talk()
    assert talk.say(b"COMPRESS DEFLATE")[-1].startswith(b"a BAD")
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    assert talk.say(b"COMPRESS LZ4")[-1].startswith(b"a NO")
    talk.close()
