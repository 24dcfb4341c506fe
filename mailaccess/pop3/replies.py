"""What the POP3 server says, and the table from error kind to reply (RFC 2449 8, RFC 3206)."""

from __future__ import annotations

from accounts.sign_in import Reason
from core.errors import ErrorKind

GREETING = b"+OK Globalmail ready\r\n"
BUSY = b"-ERR [SYS/TEMP] Too many connections, try again later\r\n"
STOPPING = b"-ERR [SYS/TEMP] Server is stopping\r\n"
TIMED_OUT = b"-ERR [SYS/TEMP] Timed out waiting for you\r\n"
FAILED = b"-ERR [SYS/TEMP] Internal error\r\n"
SIGNED_OUT = b"-ERR [AUTH] You may no longer be signed in\r\n"
IN_USE = b"-ERR [IN-USE] Another session has this mailbox open\r\n"
TOO_MANY = b"-ERR [SYS/TEMP] Too many connections of this account\r\n"
UNKNOWN = b"-ERR Unknown command\r\n"
NOT_NOW = b"-ERR Not in this state\r\n"
BAD_ARGUMENT = b"-ERR Bad argument\r\n"
NO_SUCH_MESSAGE = b"-ERR No such message\r\n"
ENCRYPT_FIRST = b"-ERR [AUTH] Use STLS first\r\n"
CANCELLED = b"-ERR Cancelled\r\n"
BAD_BASE64 = b"-ERR Not base64\r\n"
TOO_LONG = b"-ERR Line is too long\r\n"

SIGN_IN_ERRORS: dict[Reason, bytes] = {
    Reason.REFUSED: b"-ERR [AUTH] Wrong address or password\r\n",
    Reason.THROTTLED: b"-ERR [LOGIN-DELAY] Too many failures, try again later\r\n",
    Reason.SUSPENDED: b"-ERR [AUTH] This account is suspended\r\n",
    Reason.FULL_ADDRESS: b"-ERR [AUTH] Sign in with your full address\r\n",
    Reason.NEEDS_CODE: b"-ERR [AUTH] Use a client code instead of the password; the webmail makes one\r\n",
    Reason.PROTOCOL: b"-ERR [AUTH] The administrator does not let this account use POP3\r\n",
    Reason.NETWORK: b"-ERR [AUTH] The administrator does not let this account in from your address\r\n",
}

ERRORS: dict[ErrorKind, bytes] = {
    ErrorKind.NOT_FOUND: NO_SUCH_MESSAGE,
    ErrorKind.EXISTS: b"-ERR It exists already\r\n",
    ErrorKind.NO_PERMISSION: b"-ERR You have no right to do this\r\n",
    ErrorKind.OVER_QUOTA: b"-ERR [SYS/PERM] The mailbox is full\r\n",
    ErrorKind.TOO_LARGE: b"-ERR Too large\r\n",
    ErrorKind.IN_USE: IN_USE,
    ErrorKind.LIMIT: b"-ERR A limit is reached\r\n",
    ErrorKind.INVALID: BAD_ARGUMENT,
    ErrorKind.UNAVAILABLE: b"-ERR [SYS/TEMP] Not available now, try again later\r\n",
}


def ok(text: str = "") -> bytes:
    """`+OK text`."""
    return f"+OK {text}".rstrip().encode() + b"\r\n"
