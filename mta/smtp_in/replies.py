"""SMTP replies: every sentence the server says, and the table from error kind to reply (RFC 5321 4.2, RFC 3463)."""

from __future__ import annotations

from core.errors import ErrorKind, MailError


def reply(code: int, enhanced: str, text: str) -> bytes:
    """One reply line, with its enhanced status code (RFC 2034); the text is kept to printable ASCII."""
    clean = text[:400]
    if not (clean.isascii() and clean.isprintable()):
        clean = "".join(letter if " " <= letter <= "~" else "?" for letter in clean)
    return f"{code} {enhanced} {clean}\r\n".encode("ascii")


OK = reply(250, "2.0.0", "Ok")
SENDER_OK = reply(250, "2.1.0", "Sender ok")
RECIPIENT_OK = reply(250, "2.1.5", "Recipient ok")
CHUNK_OK = reply(250, "2.0.0", "Chunk ok")
GO_AHEAD = b"354 End data with <CR><LF>.<CR><LF>\r\n"
BYE = reply(221, "2.0.0", "Bye")
CANNOT_VERIFY = reply(252, "2.0.0", "Send some mail and see")
READY_FOR_TLS = reply(220, "2.0.0", "Ready to start TLS")
SIGNED_IN = reply(235, "2.7.0", "Signed in")

BUSY = reply(421, "4.3.2", "Too many connections, try again later")
SHUTTING_DOWN = reply(421, "4.3.2", "Service is stopping, try again later")
TIMED_OUT = reply(421, "4.4.2", "Timed out waiting for you")
TOO_MANY_ERRORS = reply(421, "4.7.0", "Too many errors")
TOO_IDLE = reply(421, "4.7.0", "Too many commands without a message")
TOO_MANY_CONNECTIONS = reply(421, "4.7.0", "Too many connections from your address, try again later")
TOO_FAST = reply(450, "4.7.1", "Too much at once, try again later")
NAME_NOT_KNOWN_YET = reply(450, "4.7.25", "DNS does not answer for your address, try again later")  # RFC 7372 3.3
NOT_PROVEN_YET = reply(451, "4.4.3", "DNS did not answer for the author's domain, try again later")
NOT_SCANNED_YET = reply(451, "4.7.1", "The virus scanner does not answer, try again later")
LOCAL_ERROR = reply(451, "4.3.0", "Try again later")
NO_MEMORY = reply(452, "4.3.1", "No room for this message now, try again later")
MAILBOX_FULL = reply(452, "4.2.2", "Mailbox is full")
TOO_MANY_RECIPIENTS = reply(452, "4.5.3", "Too many recipients, send the rest in another transaction")

NOT_A_COMMAND = reply(500, "5.5.2", "Not a command")
LINE_TOO_LONG = reply(500, "5.5.2", "Line is too long")
BARE_LINE_END = reply(500, "5.5.2", "Lines end with CR LF")
NOT_TEXT = reply(500, "5.5.2", "Not a command: not UTF-8")
BAD_ARGUMENT = reply(501, "5.5.4", "Argument is not valid")
NEEDS_NAME = reply(501, "5.5.4", "Say your name: EHLO host")
CANCELLED = reply(501, "5.7.0", "Sign-in cancelled")
BAD_RELEASE_TIME = reply(501, "5.5.4", "Not a time for which mail can be scheduled here")
BAD_BASE64 = reply(501, "5.5.2", "Not base64")
NOT_IMPLEMENTED = reply(502, "5.5.1", "Command is not implemented")
OUT_OF_ORDER = reply(503, "5.5.1", "Not now")
NEEDS_MAIL = reply(503, "5.5.1", "MAIL first")
NEEDS_RCPT = reply(503, "5.5.1", "RCPT first")
NEEDS_EHLO = reply(503, "5.5.1", "EHLO first")
NO_RECIPIENTS = reply(554, "5.5.1", "No valid recipients")
UNKNOWN_MECHANISM = reply(504, "5.5.4", "Mechanism is not offered")
SIGNED_OUT = reply(421, "4.7.0", "You may no longer be signed in")
NEEDS_SIGN_IN = reply(530, "5.7.0", "Sign in first")
NEEDS_TLS = reply(530, "5.7.0", "STARTTLS first")
REQUIRETLS_NEEDS_TLS = reply(530, "5.7.10", "REQUIRETLS needs STARTTLS first")
TLS_NEEDED_TO_SIGN_IN = reply(538, "5.7.11", "Encryption is required to sign in")
SIGN_IN_REFUSED = reply(535, "5.7.8", "Name or password is wrong")
SIGN_IN_THROTTLED = reply(454, "4.7.0", "Too many attempts, try again later")
SIGN_IN_SUSPENDED = reply(535, "5.7.13", "Account is disabled")

UNKNOWN_RECIPIENT = reply(550, "5.1.1", "No such mailbox here")
SUSPENDED_RECIPIENT = reply(550, "5.2.1", "Mailbox is disabled")
POSTING_REFUSED = reply(550, "5.7.1", "You may not write to this list")
INSIDE_ONLY = reply(550, "5.7.1", "The recipient takes mail of his own company alone")
WRITES_INSIDE = reply(550, "5.7.1", "The administrator does not let this account write to people outside")
MEMBERS_OUTSIDE = reply(
    550, "5.7.1", "The list has members outside, to whom the administrator does not let this account write"
)
ATTACHMENT_TOO_LARGE = reply(552, "5.3.4", "An attachment is larger than this account may send")
OVER_RECIPIENTS = reply(552, "5.5.3", "More recipients than this account may write to at once")
BLOCKED_SENDER = reply(550, "5.7.1", "The recipient does not accept mail from you")
NO_RELAY = reply(550, "5.7.1", "Relaying is not allowed")
INVALID_CHARACTERS = reply(550, "5.6.11", "Message holds a CR or LF alone; lines end with CR LF")
NO_RIGHT_TO_SEND = reply(553, "5.7.1", "You may not send from this address")
HEADER_SENDER_REFUSED = reply(550, "5.7.1", "You may not send with this From")
NAMELESS = reply(550, "5.7.25", "Your address has no name that leads back to it")  # RFC 7372 3.3
TALKED_FIRST = reply(554, "5.5.1", "You spoke before you were greeted")
NOT_HERE = reply(554, "5.7.1", "This service is not for you")
UNPROVEN = reply(550, "5.7.26", "The author's domain does not vouch for this message (DMARC)")  # RFC 7372 3.4
TOO_LARGE = reply(552, "5.3.4", "Message is too large")
HEADER_TOO_LARGE = reply(552, "5.3.4", "Header is too large")
LOOP = reply(554, "5.4.6", "Mail loop: this message has been here before")

ERRORS: dict[ErrorKind, bytes] = {
    ErrorKind.NOT_FOUND: UNKNOWN_RECIPIENT,
    ErrorKind.EXISTS: reply(554, "5.5.0", "Exists already"),
    ErrorKind.NO_PERMISSION: NO_RIGHT_TO_SEND,
    ErrorKind.OVER_QUOTA: MAILBOX_FULL,
    ErrorKind.TOO_LARGE: TOO_LARGE,
    ErrorKind.IN_USE: reply(451, "4.3.0", "In use, try again later"),
    ErrorKind.LIMIT: reply(452, "4.5.3", "Limit reached"),
    ErrorKind.INVALID: reply(554, "5.6.0", "Message is not valid"),
    ErrorKind.UNAVAILABLE: LOCAL_ERROR,
    ErrorKind.NO_SPACE: NO_MEMORY,
}


POLICY: dict[str, bytes] = {
    "attachment": reply(554, "5.7.1", "Your company does not let files of this type out"),
    "virus": reply(554, "5.7.1", "A virus was found in this message; it was not sent"),
    "scanner": NOT_SCANNED_YET,
    "stopped": reply(550, "5.7.1", "Sending is stopped for this account; ask your administrator"),
    "hourly_recipients": reply(452, "4.7.1", "Too many recipients in this hour, try again later"),
    "daily_recipients": reply(452, "4.7.1", "Too many recipients in this day, try again later"),
    "daily_strangers": reply(452, "4.7.1", "Too many new recipients in this day, try again later"),
    "pool_strangers": reply(452, "4.7.1", "Your company has too many new recipients in this day, try again later"),
}
"""By the field that an error of submission names."""


def reply_for(error: MailError) -> bytes:
    """The reply to an expected failure."""
    return POLICY.get(str(error.data.get("field", "")), ERRORS[error.kind])
