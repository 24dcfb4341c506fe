"""The submission service (RFC 6409): mail of our own people's programs, after sign-in over TLS."""

from __future__ import annotations

import time
from typing import ClassVar

from accounts.models import Account, AccountRights
from accounts.sasl import Door, Exchange, begin, mechanisms
from accounts.selectors import access_for, may_send_as, resolve
from accounts.sign_in import Circumstances, Reason, SignedIn, SignInError, may_stay
from core import dbthread, metrics
from core.access import Access
from core.errors import ErrorKind, MailError
from core.rates import Rates
from mailstore.message import Invalid, parse_address_list
from mta.company import viruses
from mta.company.rates import obey
from mta.inbound.accepted import AlreadyAcceptedError, digest_of
from mta.inbound.afterwards import Afterwards
from mta.inbound.recipients import Refusal, Target, find_target
from mta.inbound.trace import Arrival, checked_header, received_line
from mta.models import Submission
from mta.rights import require_inside, size_limit
from mta.services import SubmitRequest, submit
from mta.services.sending import send_settings
from mta.services.submit import SCHEDULE_MAX_DAYS
from mta.smtp_in import later, replies, sasl
from mta.smtp_in.dialogue import Dialogue, Handler
from mta.smtp_in.header import field_values, missing_fields
from mta.smtp_in.mx import REFUSALS
from mta.smtp_in.session import Envelope, Session

SIGN_IN_ERRORS: dict[Reason, bytes] = {
    Reason.REFUSED: replies.SIGN_IN_REFUSED,
    Reason.THROTTLED: replies.SIGN_IN_THROTTLED,
    Reason.SUSPENDED: replies.SIGN_IN_SUSPENDED,
    Reason.FULL_ADDRESS: replies.reply(535, "5.7.8", "Sign in with your full address"),
    Reason.NEEDS_CODE: replies.reply(535, "5.7.9", "Use a client code instead of the password; the webmail makes one"),
    Reason.PROTOCOL: replies.reply(535, "5.7.1", "The administrator does not let this account send by SMTP"),
    Reason.NETWORK: replies.reply(535, "5.7.1", "The administrator does not let this account in from your address"),
}


RIGHTS_REFUSED = {
    (ErrorKind.NO_PERMISSION, "outside"): replies.WRITES_INSIDE,
    (ErrorKind.NO_PERMISSION, "members"): replies.MEMBERS_OUTSIDE,
    (ErrorKind.TOO_LARGE, "attachment"): replies.ATTACHMENT_TOO_LARGE,
    (ErrorKind.LIMIT, "recipients"): replies.OVER_RECIPIENTS,
}
"""What RCPT could not say yet."""


class SubmissionDialogue(Dialogue):
    """MAIL only after AUTH, AUTH only under TLS."""

    commands: ClassVar[dict[str, Handler]]
    offers_dsn = True
    max_hold_days = SCHEDULE_MAX_DAYS
    service = "submission"

    def __init__(self, session: Session, afterwards: Afterwards, rates: Rates) -> None:
        super().__init__(session, afterwards)
        self._rates = rates
        self._exchange: Exchange | None = None
        self._signed_in: SignedIn | None = None
        self.rights = AccountRights()

    def extensions(self) -> list[str]:
        """AUTH is offered once the connection is encrypted (RFC 4954 4)."""
        offered = [*super().extensions(), later.offer(time.time_ns() // 1000, self.max_hold_days)]
        tls = self.session.tls
        return (
            [*offered, " ".join(["AUTH", *mechanisms(tls.bindings)])] if tls and not self.session.account else offered
        )

    # AUTH -----------------------------------------------------------------------------------------

    async def auth(self, argument: str) -> bytes:
        """AUTH mechanism [initial response]."""
        session = self.session
        if session.tls is None:
            return replies.TLS_NEEDED_TO_SIGN_IN
        if session.host_name is None:
            return replies.NEEDS_EHLO
        if session.account is not None or self.envelope is not None:
            return replies.OUT_OF_ORDER  # RFC 4954 4: once a connection, not inside a transaction
        mechanism, _, initial = argument.partition(" ")
        around = Circumstances("smtp", session.remote_address, session.host_name, session.tls.asked_name or None)
        self._exchange = begin(mechanism, Door(around, session.tls.bindings))
        if self._exchange is None:
            return replies.UNKNOWN_MECHANISM
        if initial:
            return await self._answer(initial.encode())
        self.continuation = self._answer
        return sasl.challenge(self._exchange.prompt)

    async def _answer(self, line: bytes) -> bytes:
        self.continuation = None
        if line == b"*":
            return replies.CANCELLED  # RFC 4954 4
        answer = sasl.decode(line)
        if answer is None:
            return replies.BAD_BASE64
        assert self._exchange is not None
        try:
            found = await dbthread.run(self._exchange.step, answer)
        except SignInError as error:
            return SIGN_IN_ERRORS[error.reason]
        if isinstance(found, bytes):
            self.continuation = self._answer
            return sasl.challenge(found)
        self._signed_in = found
        self.session.account = found.account
        self.session.authenticated = True
        self.rights = await dbthread.run(AccountRights.of, found.account.pk)
        self.largest_bytes = min(self.largest_bytes, size_limit(found.account, self.rights))
        return replies.SIGNED_IN

    # The transaction ------------------------------------------------------------------------------

    async def check_sender(self, sender: str) -> bytes | None:
        """Signed in, and from an address of one's own."""
        if self.session.account is None or self._signed_in is None:
            return replies.NEEDS_SIGN_IN if self.session.tls else replies.NEEDS_TLS
        if not await dbthread.run(may_stay, self._signed_in):
            self.closing = True  # a connection may last for days; what his account may do can end meanwhile
            return replies.SIGNED_OUT
        if not await dbthread.run(_may_send, self.session.account, sender):
            return replies.NO_RIGHT_TO_SEND
        return None

    async def check_recipient(self, envelope: Envelope, address: str) -> bytes | None:
        """What can be known now is said now; the rest comes as a report."""
        account = self.session.account
        if account is not None and not self.rights.sends_outside:
            try:
                await dbthread.run(require_inside, account, [address])
            except MailError as error:
                return RIGHTS_REFUSED[error.kind, str(error.data["part"])]
        target = await dbthread.run(find_target, address, sender=envelope.mail_from or "")
        if isinstance(target, Target) or target is Refusal.ELSEWHERE:
            return None
        return REFUSALS[target]

    async def accept(self, envelope: Envelope, message: bytes) -> bytes:
        """Complete the message (RFC 6409 8) and hand it to `submit`; what comes again after a lost 250 is known."""
        account = self.session.account
        assert account is not None
        now_s = time.time()
        if not await self._rates.take("account", str(account.pk)):
            return replies.TOO_FAST
        arrival = Arrival(
            envelope.queue_id,
            now_s,
            self.session.host_name or "",
            self.session.remote_address,
            self.session.protocol,
        )
        header = checked_header(message)
        raw = received_line(arrival) + missing_fields(header, account.address, now_s) + message
        await self._look_through(account, raw)
        digest = digest_of(f"{account.pk} {envelope.mail_from}", envelope.rcpt_tos, message)
        try:
            refusal = await dbthread.run(_submit, account, envelope, header, raw, digest)
        except AlreadyAcceptedError:
            refusal = None  # and it stays remembered: this answer may be lost too
        else:
            self.unconfirmed = b"" if refusal else digest
            metrics.count("messages_submitted", outcome="refused" if refusal else "taken")
        return refusal or replies.reply(250, "2.0.0", f"Ok: {arrival.queue_id}")

    async def _look_through(self, account: Account, raw: bytes) -> None:
        """For viruses, on the event loop. Raises what `viruses.find` does."""
        try:
            await viruses.find(raw, await dbthread.run(viruses.wish_of, account.domain_id))
        except MailError as error:
            where = {"protocol": "smtp", "remote_address": self.session.remote_address}
            await dbthread.run(viruses.note, error, raw, account, **where)
            raise


SubmissionDialogue.commands = {**Dialogue.commands, "AUTH": SubmissionDialogue.auth}


def _access(account: Account, sender: str) -> Access:
    """In whose name: one's own mailbox, or the one the address belongs to when it was granted."""
    found = resolve(sender)
    owner = found.account.id if found and found.account else account.pk
    try:
        return access_for(account, owner)
    except MailError:
        return access_for(account, account.pk)


def _may_send(account: Account, sender: str) -> bool:
    return bool(sender) and may_send_as(access_for(account, account.pk), sender)


def _submit(account: Account, envelope: Envelope, header: bytes, raw: bytes, digest: bytes) -> bytes | None:
    """On a database thread: header senders, then submit; the refusal, if any."""
    for value in field_values(header, b"from"):
        addresses = parse_address_list(value.decode("utf-8", "replace"))
        for address in addresses:
            if isinstance(address, Invalid) or not _may_send(account, address.address):
                return replies.HEADER_SENDER_REFUSED
    access = _access(account, envelope.mail_from or "")
    request = SubmitRequest(
        envelope_from=envelope.mail_from or "",
        recipients=envelope.rcpt_tos,
        raw=raw,
        origin=Submission.Origin.SMTP,
        actor_id=account.pk,
        digest=digest,
        is_scanned=True,
        queue_id=envelope.queue_id,
        save_to_sent=send_settings(access.mailbox).keeps_program_mail,
        wishes=envelope.wishes,
        schedule_us=envelope.release_us,
    )
    try:
        submit(access, request)
    except MailError as error:
        obey(access.mailbox, error)
        if refusal := RIGHTS_REFUSED.get((error.kind, str(error.data.get("part") or error.data.get("field")))):
            return refusal
        raise
    return None
