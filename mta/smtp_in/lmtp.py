"""The LMTP service (RFC 2033): a mail server of our own hands over, and hears about each recipient.

It has no sign-in, so it serves trusted networks only; what comes is not judged again. All recipients of a transaction
are stored in one commit, and answered after it.
"""

from __future__ import annotations

from typing import ClassVar

from mta.smtp_in import replies
from mta.smtp_in.chunk import ChunkReader
from mta.smtp_in.data import DataReader
from mta.smtp_in.dialogue import Dialogue, Handler
from mta.smtp_in.mx import MxDialogue


class LmtpDialogue(MxDialogue):
    """LHLO instead of EHLO, and an answer for every RCPT that was taken."""

    protocol = "LMTP"
    service = "lmtp"
    commands: ClassVar[dict[str, Handler]]

    async def open(self) -> bytes:
        """The greeting; nobody from elsewhere gets one."""
        if self._judging is not None:
            self.closing = True
            return replies.NOT_HERE
        return await super().open()

    async def data(self, argument: str) -> bytes:
        """DATA; without a recipient that was taken it is out of order (RFC 2033 4.2)."""
        answer = await super().data(argument)
        return replies.NEEDS_RCPT if answer == replies.NO_RECIPIENTS else answer

    async def finish(self, reader: DataReader | ChunkReader) -> bytes:
        """RFC 2033 4.2: one reply for each recipient in their order; the commit was one."""
        count = len(self.envelope.rcpt_tos) if self.envelope else 1
        answer, ended, goodbye = (await super().finish(reader)).partition(b"\r\n")
        return (answer + ended) * count + goodbye


LmtpDialogue.commands = {name: handler for name, handler in Dialogue.commands.items() if name not in {"EHLO", "HELO"}}
LmtpDialogue.commands |= {"LHLO": Dialogue.ehlo, "DATA": LmtpDialogue.data}
