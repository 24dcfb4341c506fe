"""Every refusal over SMTP, of a command or of a mail, is counted, and written down under the transaction's id."""

from __future__ import annotations

import logging
from collections.abc import Container

from core import metrics
from mta.smtp_in.session import Envelope, Session

log = logging.getLogger(__name__)


def note(
    session: Session, envelope: Envelope | None, line: bytes, answer: bytes, *, service: str, known: Container[str]
) -> None:
    """`answer` to `line` (without CRLF), one of the `known` commands or anything else; what may be a password isn't told."""
    verb = line[:4].decode("ascii", "replace").upper()
    command = verb if verb in known else "other"
    code, enhanced = answer[:3].decode(), answer[4:].split(b" ", 1)[0].decode()
    metrics.count("smtp_refusals", service=service, command=command, code=code, enhanced=enhanced)
    said = "AUTH" if verb == "AUTH" or (session.account is None and command == "other") else line[:200]
    facts = {"queue_id": envelope.queue_id if envelope else "", "client": session.remote_address}
    log.info("refused", extra=facts | {"said": repr(said), "answer": answer.decode("ascii", "replace").strip()})
