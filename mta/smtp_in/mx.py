"""The MX service: mail of strangers for addresses of ours (RFC 5321). No sign-in, no relay."""

from __future__ import annotations

import dataclasses
import time

from core import dbthread, metrics
from core.errors import ErrorKind, MailError
from mta.inbound.afterwards import Afterwards
from mta.inbound.judging import Judging
from mta.inbound.receive import RefusedError, Transaction, receive
from mta.inbound.recipients import RecentTargets, Refusal, Target, find_target
from mta.inbound.trace import Arrival
from mta.smtp_in import replies
from mta.smtp_in.dialogue import Dialogue
from mta.smtp_in.guard import Guard, Visitor
from mta.smtp_in.session import Envelope, Session

REFUSALS: dict[Refusal, bytes] = {
    Refusal.UNKNOWN: replies.UNKNOWN_RECIPIENT,
    Refusal.SUSPENDED: replies.SUSPENDED_RECIPIENT,
    Refusal.FULL: replies.MAILBOX_FULL,
    Refusal.POSTING: replies.POSTING_REFUSED,
    Refusal.ELSEWHERE: replies.NO_RELAY,
    Refusal.INSIDE: replies.INSIDE_ONLY,
    Refusal.SUPPRESSED: replies.UNKNOWN_RECIPIENT,
    Refusal.BLOCKED: replies.BLOCKED_SENDER,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Strangers:
    """What a process knows and asks about clients that are not trusted."""

    guard: Guard
    judging: Judging


class MxEnvelope(Envelope):
    """An envelope whose recipients are resolved."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[Target] = []


class MxDialogue(Dialogue):
    """Receives for local mailboxes."""

    envelope_class = MxEnvelope

    def __init__(self, session: Session, recent: RecentTargets, afterwards: Afterwards, strangers: Strangers) -> None:
        super().__init__(session, afterwards)
        self._recent = recent
        judging, address = strangers.judging, session.remote_address
        self._judging = None if judging.is_trusted(address) else judging
        self.visitor = Visitor(strangers.guard, address) if self._judging is not None else None

    async def check_sender(self, sender: str) -> bytes | None:
        """Anybody, the null sender too (RFC 5321 4.5.5)."""
        return await self.visitor.check_sender() if self.visitor is not None else None

    async def check_recipient(self, envelope: Envelope, address: str) -> bytes | None:
        """Only who is here and has room."""
        assert isinstance(envelope, MxEnvelope)
        sender, visitor = envelope.mail_from or "", self.visitor
        refusal = await visitor.check_recipient(address) if visitor is not None else None
        if refusal is not None:
            return refusal
        target = await self._target(address, sender)
        if isinstance(target, Refusal):
            too_many = target is Refusal.UNKNOWN and visitor is not None and await visitor.check_unknown()
            return too_many or REFUSALS[target]
        if target.blocks(sender):
            return REFUSALS[Refusal.BLOCKED]
        refusal = await visitor.check_first_time(sender, address) if visitor is not None else None
        if refusal is None:
            envelope.targets.append(target)
        return refusal

    async def accept(self, envelope: Envelope, message: bytes) -> bytes:
        """Store, then 250 (RFC 5321 4.2.5: from then on it is ours)."""
        assert isinstance(envelope, MxEnvelope)
        arrival = await self._arrival(envelope)
        transaction = Transaction(
            arrival,
            envelope.mail_from or "",
            envelope.rcpt_tos,
            envelope.targets,
            envelope.require_tls,
            envelope.as_sent,
        )
        try:
            receipt = await receive(transaction, message, judging=self._judging)
        except RefusedError as error:
            self.afterwards.note(error.happened)
            self.afterwards.observe(error.observation)
            return _refusal_of(error)
        except MailError as error:
            return _refusal_of(error)
        metrics.count("messages_received", service=self.service)
        metrics.observe("receive_seconds", time.time() - arrival.at_s, service=self.service)
        self.unconfirmed = receipt.digest
        self.afterwards.note(receipt.happened)
        self.afterwards.observe(receipt.observation)
        self.afterwards.see(receipt.seen)
        return replies.reply(250, "2.0.0", f"Ok: {arrival.queue_id}")

    async def _arrival(self, envelope: Envelope) -> Arrival:
        session = self.session
        tls = f"{session.tls.version} {session.tls.cipher}" if session.tls else ""
        protocol = "LMTP" + session.protocol[5:] if self.protocol == "LMTP" else session.protocol  # RFC 3848
        name = await self.visitor.name() if self.visitor is not None else ""
        return Arrival(
            envelope.queue_id, time.time(), session.host_name or "", session.remote_address, protocol, tls, name
        )

    async def _target(self, address: str, sender: str) -> Target | Refusal:
        found = self._recent.get(address, sender)
        if found is None:
            found = await dbthread.run(find_target, address, sender=sender, proven=False)
            self._recent.keep(address, sender, found)
        return found


def _refusal_of(error: MailError) -> bytes:
    if error.data.get("part") == "received":
        return replies.LOOP
    if error.data.get("part") == "header":
        return replies.HEADER_TOO_LARGE
    if error.data.get("part") == "dmarc":
        return replies.UNPROVEN if error.kind is ErrorKind.NO_PERMISSION else replies.NOT_PROVEN_YET
    if error.data.get("part") == "virus":
        return replies.NOT_SCANNED_YET
    if error.kind is ErrorKind.NOT_FOUND:
        return replies.LOCAL_ERROR  # erased between RCPT and DATA: the next try hears 550
    return replies.reply_for(error)
