"""One SMTP transaction with a remote server (aiosmtplib), answer by answer.

TLS is opportunistic (RFC 7435): taken when offered, without checking the certificate, and a server whose TLS does not
work gets the mail in the clear, as it would without STARTTLS. A mail that requires TLS (RFC 8689) goes to servers with a
valid certificate that promise to keep it so, or not at all.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import Sequence

import aiosmtplib
from django.conf import settings

from mailstore.message import needs_smtputf8
from mta.outbound.result import Result, Verdict, for_all, from_reply
from mta.outbound.routing import Hop
from mta.wishes import NO_WISHES, RecipientWish, Wishes

CONNECT_S = 30.0
COMMAND_S = 300.0
"""RFC 5321 4.5.3.2; the answer to the final dot gets the same."""


class UnreachableError(Exception):
    """No transaction took place with this server; the next one may be tried."""


async def send(
    hop: Hop, sender: str, recipients: Sequence[str], message: bytes, wishes: Wishes = NO_WISHES
) -> list[Result]:
    """Offer `message` to one server; one result per recipient. Raises UnreachableError before anything was handed over."""
    client = await _open(hop, require_tls=wishes.require_tls)
    if wishes.require_tls and not client.supports_extension("requiretls"):
        await _leave(client)
        return for_all(recipients, Verdict.REFUSED, "5.7.30", "The server does not offer REQUIRETLS", host=hop.name)
    try:
        return await _transact(client, hop, sender, recipients, message, wishes=wishes)
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, TimeoutError, OSError) as error:
        return for_all(recipients, Verdict.LATER, "4.4.2", f"Connection lost: {error}", host=hop.name)
    finally:
        await _leave(client)


async def _open(hop: Hop, *, require_tls: bool) -> aiosmtplib.SMTP:
    try:
        client = await _connect(hop)
        if client.supports_extension("starttls") and not await _encrypt(client, hop, checked=require_tls):
            client.close()
            if require_tls:
                raise UnreachableError(f"{hop.name} [{hop.address}]: no valid TLS")
            client = await _connect(hop)
    except (aiosmtplib.SMTPException, TimeoutError, OSError, ValueError) as error:
        raise UnreachableError(f"{hop.name} [{hop.address}]: {error}") from None
    return client


async def _connect(hop: Hop) -> aiosmtplib.SMTP:
    client = aiosmtplib.SMTP(
        hostname=hop.address,
        port=hop.port,
        local_hostname=settings.EHLO_NAME,
        start_tls=False,
        timeout=COMMAND_S,
    )
    await client.connect(timeout=CONNECT_S)
    try:
        await client.ehlo(timeout=CONNECT_S)
    except aiosmtplib.SMTPHeloError:
        await client.helo(timeout=CONNECT_S)
    return client


async def _encrypt(client: aiosmtplib.SMTP, hop: Hop, *, checked: bool) -> bool:
    context = ssl.create_default_context() if checked else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        await client.starttls(tls_context=context, server_hostname=hop.name, timeout=CONNECT_S)
        await client.ehlo(timeout=CONNECT_S)
    except (aiosmtplib.SMTPException, TimeoutError, OSError, ValueError):
        return False
    return True


async def _transact(
    client: aiosmtplib.SMTP, hop: Hop, sender: str, recipients: Sequence[str], message: bytes, *, wishes: Wishes
) -> list[Result]:
    utf8 = needs_smtputf8([sender, *recipients])
    refusal = _not_possible(client, message, utf8=utf8)
    if refusal is not None:
        return for_all(recipients, Verdict.REFUSED, *refusal, host=hop.name)
    encoding = "utf-8" if utf8 else "ascii"
    try:
        await client.mail(sender, options=_options(client, message, wishes, utf8=utf8), encoding=encoding)
    except aiosmtplib.SMTPResponseException as error:
        return [from_reply(recipient, error.code, error.message, hop.name) for recipient in recipients]
    results, taken = [], []
    for recipient in recipients:
        result = await _rcpt(client, hop, recipient, encoding, _wish_options(client, wishes.of(recipient)))
        taken += [recipient] if result.verdict is Verdict.ACCEPTED else []
        results += [] if result.verdict is Verdict.ACCEPTED else [result]
    done = await _data(client, hop, taken, message) if taken else []
    is_confirming = client.supports_extension("dsn")
    return results + [dataclasses.replace(each, is_confirming=is_confirming) for each in done]


async def _rcpt(client: aiosmtplib.SMTP, hop: Hop, recipient: str, encoding: str, options: list[str]) -> Result:
    try:
        answer = await client.rcpt(recipient, options=options, encoding=encoding)
    except aiosmtplib.SMTPResponseException as error:
        return from_reply(recipient, error.code, error.message, hop.name)
    return from_reply(recipient, answer.code, answer.message, hop.name)


async def _data(client: aiosmtplib.SMTP, hop: Hop, recipients: Sequence[str], message: bytes) -> list[Result]:
    try:
        answer = await client.data(message)
        code, words = answer.code, answer.message
    except aiosmtplib.SMTPResponseException as error:
        code, words = error.code, error.message
    return [from_reply(recipient, code, words, hop.name) for recipient in recipients]


def _not_possible(client: aiosmtplib.SMTP, message: bytes, *, utf8: bool) -> tuple[str, str] | None:
    """What the server has said beforehand it can't take."""
    if utf8 and not client.supports_extension("smtputf8"):
        return "5.6.7", "The server does not take internationalised addresses"  # RFC 6531 3.5
    limit = client.esmtp_extensions.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(message):
        return "5.3.4", f"The server takes at most {limit} bytes"  # RFC 1870 6
    return None


def _wish_options(client: aiosmtplib.SMTP, wish: RecipientWish) -> list[str]:
    """RFC 3461 5.2.1: handed on to a server that knows them."""
    if not client.supports_extension("dsn"):
        return []
    options = [f"NOTIFY={wish.notify}"] if wish.notify else []
    return [*options, f"ORCPT={wish.original}"] if wish.original else options


def _options(client: aiosmtplib.SMTP, message: bytes, wishes: Wishes, *, utf8: bool) -> list[str]:
    options = [f"SIZE={len(message)}"] if client.supports_extension("size") else []
    if not message.isascii() and client.supports_extension("8bitmime"):
        options.append("BODY=8BITMIME")
    if client.supports_extension("dsn"):
        options += [f"RET={wishes.returned}"] if wishes.returned else []
        options += [f"ENVID={wishes.envelope_id}"] if wishes.envelope_id else []
    if wishes.require_tls:
        options.append("REQUIRETLS")
    return [*options, "SMTPUTF8"] if utf8 else options


async def _leave(client: aiosmtplib.SMTP) -> None:
    try:
        async with asyncio.timeout(5):
            await client.quit()
    except (aiosmtplib.SMTPException, TimeoutError, OSError):
        client.close()
