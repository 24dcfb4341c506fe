"""A NUL that came in before it was looked for: told as what a literal may hold, with the right size."""

from __future__ import annotations

from accounts.models import Account
from accounts.selectors import access_for
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running
from tests.mailstore.letters import stored

RAW = b"Subject: a\0b\r\nX-Odd: \0\r\n\r\none\0two\r\n"


def test_a_nul_of_the_store_is_in_no_literal(imap_server: Running, alice: Account) -> None:
    stored(access_for(alice, alice.pk), RAW)
    talk = imap_server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    talk.say(b"EXAMINE INBOX")
    for item in (b"BODY.PEEK[]", b"BODY.PEEK[HEADER.FIELDS (X-Odd)]", b"RFC822.HEADER", b"BODY.PEEK[TEXT]<3.2>"):
        told = b"\r\n".join(talk.say(b"FETCH 1 " + item))
        assert b"\0" not in told
        assert b"\x80" in told
    assert talk.say(b"FETCH 1 BODY.PEEK[TEXT]")[0].startswith(b"* 1 FETCH (BODY[TEXT] {9}\r\none\x80two\r\n")
    assert talk.say(b"FETCH 1 BINARY.PEEK[1]")[0].startswith(b"* 1 FETCH (BINARY[1] ~{9}\r\none\0two\r\n")
    talk.close()
