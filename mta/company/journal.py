"""The journal: mail that leaves its author, and that comes in where a company wants that too, whole, inside a report that
says its envelope, Bcc included."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from accounts.models import Account
from accounts.selectors import resolve
from mailstore import blobs
from mailstore.message import Address, Outgoing, OutgoingPart, Scanned, compose, header
from mailstore.services.deliver import Incoming, Placement, Prepared, prepare, store
from mta.inbound.recipients import Refusal, Target, find_target, merge_accounts
from mta.models import Submission
from mta.services.system_mail import queue_mail

RECIPIENTS_MAX = 20_000
MARK = "X-MS-Journal-Report"
_RECEIVED = re.compile(rb"(?im)^received[ \t]*:[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")
_MARKED = re.compile(rb"(?im)^x-ms-journal-report[ \t]*:")


@dataclasses.dataclass(frozen=True, slots=True)
class Journal:
    """A report that is ready to be written: into mailboxes here, or into the queue for `address`."""

    domain_id: int
    address: str
    subject: str
    raw: bytes
    local: Prepared | None
    places: tuple[Placement, ...]

    def write(self) -> None:
        """In the transaction that takes the mail: the two stand or fall together."""
        if self.local is not None:
            store([Incoming(self.local, self.places)])
        else:
            queue_mail(self.domain_id, [self.address], blobs.encode(self.raw), message_id="", subject=self.subject)


def write_journal(submission: Submission, wire: bytes, recipients: Sequence[str], address: str) -> None:
    """Deliver or queue the report on a mail that leaves, in the transaction that hands it over."""
    lines = [
        f"Sender: {submission.envelope_from}",
        f"Subject: {submission.subject}",
        f"Message-Id: <{submission.message_id}>",
        *(f"Recipient: {each}" for each in recipients[:RECIPIENTS_MAX]),
    ]
    system = _system(submission.domain_id)
    if system is None or submission.mailbox_id == system.pk:
        return
    ready = _journal(system, address, submission.subject, lines, wire)
    if ready is not None:
        ready.write()


def incoming_journals(
    targets: Iterable[Target], message: bytes, scanned: Scanned, sender: str, *, but: int = 0
) -> list[Journal]:
    """Reports on a mail that comes in, one for each domain that wants them; each names that domain's people alone.

    `but`: the domain whose journal has it as mail of its own. Mail for the journal itself is none. Call on a database
    thread, outside the transaction.
    """
    found = []
    for (domain_id, address), recipients in _wanted(targets, but).items():
        system = _system(domain_id)
        if system is None:
            continue
        lines = [
            f"Sender: {sender}",
            f"Subject: {scanned.subject}",
            f"Message-Id: <{scanned.message_id or ''}>",
            *(f"Recipient: {each}" for each in recipients[:RECIPIENTS_MAX]),
        ]
        found.append(_journal(system, address, scanned.subject, lines, message))
    return [each for each in found if each is not None]


def _wanted(targets: Iterable[Target], but: int) -> dict[tuple[int, str], list[str]]:
    wanted: dict[tuple[int, str], list[str]] = {}
    for target in targets:
        for account in (*target.accounts, *target.full):
            facts = target.facts.get(account.id)
            if facts is None or not facts.journal or account.domain_id == but:
                continue
            if facts.journal.lower() in (account.address.lower(), target.matched.lower()):
                continue
            expanded = f", Expanded: {target.matched}" if target.matched else ""
            wanted.setdefault((account.domain_id, facts.journal), []).append(account.address + expanded)
    return wanted


def _system(domain_id: int) -> Account | None:
    return Account.objects.filter(domain=domain_id, kind=Account.Kind.SYSTEM).first()


def _journal(system: Account, address: str, subject: str, lines: Sequence[str], message: bytes) -> Journal | None:
    """None where the journal's address leads nowhere."""
    report = _hops(message) + compose(
        Outgoing(
            from_=Address("Journal", system.address),
            to=[Address("", address)],
            subject=subject,
            text="\r\n".join(lines) + "\r\n",
            attachments=[OutgoingPart("message.eml", "message/rfc822", message)],
            extra_headers={"Auto-Submitted": "auto-generated", MARK: ""},
        )
    )
    target = find_target(address, sender="")
    if target is Refusal.ELSEWHERE:
        return Journal(system.domain_id, address, subject, report, None, ())
    places = [Placement(account_id) for account_id in _keepers(target, address)]
    local = prepare(report, trace=b"Return-Path: <>\r\n")
    return Journal(system.domain_id, address, subject, report, local, tuple(places)) if places else None


def _keepers(target: Target | Refusal, address: str) -> Iterable[int]:
    """The accounts here that the journal's address means, however full they are: a journal with holes is none."""
    if isinstance(target, Target):
        reached = [account.id for account, _matched in merge_accounts([target]).values()]
        return dict.fromkeys([*reached, *(account.id for account in target.full)])
    resolved = resolve(address) if target is Refusal.FULL else None
    return [resolved.account.id] if resolved is not None and resolved.account is not None else []


def _hops(message: bytes) -> bytes:
    """Two companies that journal into each other would go on for ever: a report on a report keeps the way that it came,
    so that it is refused like any mail that goes in circles (RFC 5321 6.3)."""
    stop, _body = header.block_end(message, 0, len(message))
    fields = message[:stop]
    return b"".join(found[0] for found in _RECEIVED.finditer(fields)) if _MARKED.search(fields) else b""
