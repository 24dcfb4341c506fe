"""Dialogues replayed: `C:` is sent, `S:` must come (`*` stands for anything), over a real socket.

`raw` sends bytes with escapes and no line end, `tls` does the handshake, `closed` expects the server to hang up, `until t` reads on
to the OK with tag `t`. The first
line says what it is about, the second which port: `service plain` or `service tls`.
"""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from accounts.models import Account
from tests.mailaccess.conftest import Running, Talk

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_server_says_what_the_transcript_says(
    path: Path, imap_server: Running, alice: Account, bob: Account
) -> None:
    replay(path, imap_server)


def replay(path: Path, server: Running) -> None:
    """Play a whole file."""
    _, service, *lines = path.read_text().splitlines()
    port = getattr(server, service.removeprefix("service "))
    talk = Talk(port, greet=False, tls=service.endswith("tls"))
    for number, line in enumerate(lines, 3):
        play(talk, line, f"{path.name}:{number}")
    talk.close()


def play(talk: Talk, line: str, where: str) -> None:
    """One line of a transcript."""
    if talk.plays(line, where):
        return
    verb, _, rest = line.partition(" ")
    if verb == "until":
        assert talk.answer(rest.encode())[-1].startswith(rest.encode() + b" OK"), where
    elif verb == "S:":
        got = talk.line().decode()
        wanted = rest.replace("[", "[[]")
        assert fnmatch.fnmatchcase(got, wanted), f"{where}: wanted {rest!r}, got {got!r}"
    else:
        assert not line.strip(), where
