"""Dialogues replayed: `C:` is sent, `S:` must come (`*` stands for anything), `S*:` is a reply of several lines, each
after the first behind a comma; over a real socket.

`raw` sends bytes with escapes and no line end, `tls` does the handshake, `long N` sends N letters, `closed` expects the
server to hang up.
"""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from accounts.models import Account
from tests.mta.conftest import Running, Talk

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_server_says_what_the_transcript_says(path: Path, running: Running, alice: Account, bob: Account) -> None:
    _, service, *lines = path.read_text().splitlines()
    port = getattr(running, service.removeprefix("service "))
    talk = Talk(port, greet=False, tls=service.endswith("submissions"))
    for number, line in enumerate(lines, 3):
        play(talk, line, f"{path.name}:{number}")
    talk.close()


def play(talk: Talk, line: str, where: str) -> None:
    """One line of a transcript."""
    if talk.plays(line, where):
        return
    verb, _, rest = line.partition(" ")
    if verb == "long":
        talk.send(b"A" * int(rest))
    elif verb == "S*:":
        got = ", ".join(line[4:] for line in talk.reply().splitlines())
        assert fnmatch.fnmatchcase(got, rest), f"{where}: wanted {rest!r}, got {got!r}"
    else:
        got = talk.file.readline().decode().removesuffix("\r\n")
        assert fnmatch.fnmatchcase(got, rest), f"{where}: wanted {rest!r}, got {got!r}"
