"""Viruses, by clamd (its INSTREAM command)."""

from __future__ import annotations

import asyncio
import contextlib
import struct

from mta.spam.outside.peer import OutsideError, Peer

TIMEOUT_S = 30.0
CHUNK = 256 * 1024
ANSWER_MAX = 4_096


async def scan(peer: Peer, message: bytes) -> str:
    """The name of what was found; empty for nothing. OutsideError when it can't be said: a message that clamd refuses (it
    hangs up above its StreamMaxLength, whatever is still coming) does not count as a failure of clamd."""
    answer = ""
    async with peer.asking(), peer.connected() as (reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _send(writer, message)
            answer = (await reader.readuntil(b"\0"))[:ANSWER_MAX].rstrip(b"\0").decode("utf-8", "replace")
    return _found(answer)


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(b"zINSTREAM\0")
    for at in range(0, len(message), CHUNK):
        part = message[at : at + CHUNK]
        writer.write(struct.pack(">I", len(part)) + part)
        await writer.drain()
    writer.write(struct.pack(">I", 0))
    await writer.drain()


def _found(answer: str) -> str:
    told = answer.removeprefix("stream:").strip()
    if told == "OK":
        return ""
    if told.endswith(" FOUND"):
        return told.removesuffix(" FOUND")
    raise OutsideError(f"clamd: {told or 'it hung up'}")
