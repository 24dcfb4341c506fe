"""Annotations: whose they are, and their limits (RFC 5464)."""

from __future__ import annotations

import pytest

from accounts.models import Account
from accounts.services import grant_mailbox
from mailaccess.models import Annotation
from mailaccess.services import metadata
from tests.mailaccess.conftest import Running
from tests.mailaccess.imap.test_rights import ALICES, signed_in


def test_private_is_ones_own_and_shared_everybodys(imap_server: Running, alice: Account, bob: Account) -> None:
    grant_mailbox(alice, bob, "reader")
    hers, his = signed_in(imap_server, "alice@example.test"), signed_in(imap_server, "bob@example.test")
    hers.say(b'SETMETADATA INBOX (/private/comment "hers" /shared/comment "ours")')
    assert his.say(b'SETMETADATA %b (/private/comment "his")' % ALICES)[-1] == b"a OK Done"
    assert his.say(b'SETMETADATA %b (/shared/comment "his")' % ALICES)[-1].startswith(b"a NO [NOPERM]")
    asked = b"(/private/comment /shared/comment)"
    assert b'(/private/comment "hers" /shared/comment "ours")' in hers.say(b"GETMETADATA INBOX " + asked)[0]
    assert b'(/private/comment "his" /shared/comment "ours")' in his.say(b"GETMETADATA %b %b" % (ALICES, asked))[0]
    hers.close()
    his.close()


def test_they_are_bounded_and_all_or_none(
    imap_server: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "MAX_ENTRIES", 2)
    talk = signed_in(imap_server, "alice@example.test")
    assert talk.say(b'SETMETADATA INBOX (/private/a "1" /private/b "2" /private/c "3")')[-1].startswith(
        b"a NO [METADATA TOOMANY]"
    )
    assert not Annotation.objects.exists()
    talk.send(b"a SETMETADATA INBOX (/private/a {10241+}\r\n" + b"x" * 10241 + b")\r\n")
    assert talk.answer()[-1].startswith(b"a NO [METADATA MAXSIZE 10240]")
    talk.close()


def test_they_go_with_their_mailbox(imap_server: Running, alice: Account) -> None:
    talk = signed_in(imap_server, "alice@example.test")
    talk.say(b"CREATE Old")
    talk.say(b'SETMETADATA Old (/private/comment "x")')
    talk.say(b"DELETE Old")
    assert not Annotation.objects.exists()
    talk.close()
