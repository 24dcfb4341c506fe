"""What is known of one IMAP connection, and what commands may do to it. Commands see this, never a socket."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

from accounts.models import Account
from accounts.sign_in import SignedIn, may_stay
from core import dbthread
from core.access import Access, Via
from core.brief_work import run_briefly
from core.errors import ErrorKind, MailError
from mailaccess.directory import Directory, Named
from mailaccess.imap.errors import BadError
from mailaccess.imap.view import Telling, View
from mailaccess.imap.watch import Watch

STAY_S = 60.0
"""How long a suspended account, a revoked code or an old password goes on working in a connection that is busy."""

P = ParamSpec("P")
T = TypeVar("T")


class State(enum.Flag):
    """RFC 9051 3."""

    GUEST = enum.auto()
    AUTHENTICATED = enum.auto()
    SELECTED = enum.auto()
    LOGOUT = enum.auto()
    SIGNED_IN = AUTHENTICATED | SELECTED
    ANY = GUEST | AUTHENTICATED | SELECTED


class Wire(Protocol):
    """What a session needs of its connection."""

    remote_address: str

    @property
    def local_name(self) -> str:
        """The host that the client named (SNI), or nothing."""

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is up."""

    @property
    def takes_secrets(self) -> bool:
        """Whether a password may be said here."""

    @property
    def bindings(self) -> Mapping[str, bytes]:
        """What a sign-in can be bound to (RFC 5056)."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the client."""

    async def drain(self) -> None:
        """Wait until the client has taken most of what was written; raises ConnectionError when it is gone."""

    async def ask(self, prompt: bytes, limit: int) -> bytes:
        """Write a prompt and read one line of answer without its line end; raises ConnectionError."""

    async def line(self, timeout_s: float) -> bytes:
        """The next line; raises ConnectionError when none comes in time."""

    def wake(self) -> None:
        """Something is to be told: don't wait for the client."""

    def end(self, last_word: bytes) -> None:
        """Say a last word and hang up."""

    def enter_account(self, account_id: int) -> bool:
        """Count the connection as this account's; False when it has too many."""

    @property
    def is_compressed(self) -> bool:
        """Whether DEFLATE is on."""

    @property
    def has_hung_up(self) -> bool:
        """Whether nobody waits for an answer any more."""


@dataclass(slots=True)
class Session:
    """One connection. `after` is what the connection does once the tagged answer is out (TLS, compression)."""

    wire: Wire
    state: State = State.GUEST
    tag: bytes = b"*"
    """Of the command that is obeyed."""
    account: Account | None = None
    signed_in: SignedIn | None = None
    looked_at_s: float = 0.0
    view: View | None = None
    enabled: set[str] = field(default_factory=set)
    program: dict[str, str] = field(default_factory=dict)
    """What the client says it is (ID, RFC 2971)."""
    after: str = ""
    watch: Watch | None = None
    """What NOTIFY asked for; None until it was used."""
    _seen_ahead: bytes | None = None
    """What `look_ahead` saw and `tell_all` has not told yet."""
    failures: int = 0

    # Who ------------------------------------------------------------------------------------------

    @property
    def via(self) -> Via:
        """For the record."""
        name = " ".join(filter(None, (self.program.get("name", ""), self.program.get("version", ""))))
        return Via("imap", name[:100], self.wire.remote_address)

    @property
    def directory(self) -> Directory:
        """The mailboxes of the account that signed in."""
        assert self.account is not None
        return Directory(self.account, self.via)

    def selected(self) -> View:
        """The selected mailbox; BAD without one."""
        if self.view is None:
            raise BadError("No mailbox is selected")
        return self.view

    def writable(self) -> View:
        """The selected mailbox, when it may be changed; NOPERM else (RFC 9051 6.3.3)."""
        view = self.selected()
        if view.read_only:
            raise MailError(ErrorKind.NO_PERMISSION)
        return view

    # What the client can read ---------------------------------------------------------------------

    @property
    def utf8(self) -> bool:
        """Whether names and strings may be UTF-8 (RFC 6855, RFC 9051)."""
        return bool(self.enabled & {"UTF8=ACCEPT", "IMAP4REV2"})

    @property
    def rev2(self) -> bool:
        """Whether the client speaks IMAP4rev2."""
        return "IMAP4REV2" in self.enabled

    @property
    def condstore(self) -> bool:
        """Whether FETCH answers carry MODSEQ (RFC 7162 3.1)."""
        return bool(self.enabled & {"CONDSTORE", "QRESYNC"})

    def enable_condstore(self) -> None:
        """What enables CONDSTORE while a mailbox is selected is answered with its modseq (RFC 7162 3.1)."""
        if not self.condstore and self.view is not None:
            self.untagged(f"OK [HIGHESTMODSEQ {self.view.modseq}] Highest")
        self.enabled.add("CONDSTORE")

    def telling(self, *, expunge: bool) -> Telling:
        """How changes are told now."""
        return Telling(expunge, "QRESYNC" in self.enabled, self.condstore)

    # Writing and working --------------------------------------------------------------------------

    def write(self, data: bytes | str) -> None:
        """Queue a response line or part of it."""
        self.wire.write(data.encode() if isinstance(data, str) else data)

    def untagged(self, text: str) -> None:
        """`* text`."""
        self.wire.write(f"* {text}\r\n".encode())

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Store work on a database thread."""
        return await dbthread.run(function, *args, **kwargs)

    async def run_briefly(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`run` for a few quick queries, in a visit that sessions share (core.brief_work)."""
        return await run_briefly(function, *args, **kwargs)

    async def stay(self, after_s: float | None = None) -> None:
        """Look now and then (STAY_S) whether the account may still be here; ends the connection when it may not."""
        now = asyncio.get_running_loop().time()
        if self.signed_in is None or now - self.looked_at_s < (STAY_S if after_s is None else after_s):
            return
        self.looked_at_s = now
        if not await self.run(may_stay, self.signed_in):
            self.wire.end(b"* BYE You may no longer be signed in\r\n")
            raise ConnectionError("the account may no longer be here")

    async def find(self, name: str) -> Named:
        """The mailbox with a name. NOT_FOUND."""
        return await self.run(self.directory.find, name)

    async def tell_all(self, *, expunge: bool = True, flags: bool = True) -> None:
        """Send what changed in the selected mailbox; a folder that is gone closes the connection's view of it."""
        if self.view is None:
            return
        telling = dataclasses.replace(self.telling(expunge=expunge), flags=flags)
        news, self._seen_ahead = self._seen_ahead, None
        if news is not None:
            self.wire.write(news)
            return
        try:
            news = await self.run(self.view.news, telling)
        except MailError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
            self.unselect()
            self.wire.end(b"* BYE The selected mailbox is gone\r\n")
            raise ConnectionError("the selected mailbox is gone") from None
        if news:
            self.wire.write(news)

    def look_ahead(self, *, expunge: bool) -> None:
        """On a database thread, as the last work of a command: see what `tell_all` will tell, so that it needs no visit of
        its own. Nothing may fail between the two."""
        if self.view is not None and self.watch is None:
            with contextlib.suppress(MailError):  # `tell_all` meets it again
                self._seen_ahead = self.view.news(self.telling(expunge=expunge))

    def start_watch(self, watch: Watch) -> None:
        """From now on this is what the client hears of (RFC 5465 3.1)."""
        self.end_watch()
        self.watch = watch
        watch.listeners.add(self.wire.wake)
        watch.listen()

    def end_watch(self) -> None:
        """Hear of nothing any more."""
        if self.watch is not None:
            self.watch.close()

    def unselect(self) -> None:
        """Leave the selected mailbox."""
        self.view = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED


Runner = Callable[["Session", Any], Coroutine[Any, Any, "Answer"]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The tagged OK: a response code without brackets, and words. `expunge` allows telling of expunges before it."""

    text: str
    code: str = ""
    expunge: bool = True


def owner_access(session: Session) -> Access:
    """The account in its own mailbox."""
    return session.directory.own
