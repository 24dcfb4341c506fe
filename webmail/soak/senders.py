"""Mail in over MX and over submission. A client that lost its answer sends the same bytes again."""

from __future__ import annotations

import abc
import dataclasses
import random
import smtplib
import ssl
from collections.abc import Mapping, Sequence

from django.conf import settings

from webmail.soak.client import Client
from webmail.soak.ledger import Ledger

LOSE_ANSWER = 0.05
"""How often a client hangs up after its final dot, before the answer."""
BIG = 0.02
BIG_LINES = 6_000
"""A big mail is beyond what lies in the row: its bytes go to the blob store."""


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    """One mail and its envelope."""

    token: str
    sender: str
    recipients: Sequence[str]
    content: bytes


def letter(token: str, sender: str, recipients: Sequence[str], chance: random.Random) -> Letter:
    """Numbered, of a few kilobytes, sometimes of half a megabyte."""
    lines = BIG_LINES if chance.random() < BIG else chance.randrange(5, 60)
    head = (
        f"From: {sender}\r\nTo: {', '.join(recipients)}\r\nMessage-ID: <{token}@soak.test>\r\nSubject: {token}\r\n\r\n"
    )
    body = "".join(f"{chance.random()} 邮件 mail after mail after mail, line after line\r\n" for _ in range(lines))
    return Letter(token, sender, recipients, (head + body).encode())


class SmtpClient(Client[Letter]):
    """What both kinds of senders share."""

    what = ""

    def __init__(self, name: str, ledger: Ledger, seed: int, people: Mapping[str, int]) -> None:
        super().__init__(name, ledger, seed)
        self.people = people
        self._server: smtplib.SMTP | None = None

    @abc.abstractmethod
    def connected(self) -> smtplib.SMTP:
        """The connection, greeted."""

    @abc.abstractmethod
    def kept(self, item: Letter) -> None:
        """It was answered 250."""

    def attempt(self, item: Letter) -> bool:
        """One transaction."""
        if self._server is None:
            self._server = self.connected()
        server = self._server
        codes = [server.mail(item.sender)[0], *(server.rcpt(each)[0] for each in item.recipients)]
        if all(code == 250 for code in codes):
            if self.chance.random() < LOSE_ANSWER:
                return self._hang_up(server, item)
            codes.append(server.data(item.content)[0])
        if all(code == 250 for code in codes):
            self.kept(item)
            return True
        if any(code // 100 == 5 for code in codes):
            self.ledger.violated(f"{item.token} was refused: {codes}")
            return True
        self.ledger.count("deferred by us")
        server.rset()
        return False

    def forget_connection(self) -> None:
        """Close what is left of it."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _hang_up(self, server: smtplib.SMTP, item: Letter) -> bool:
        """Send everything, read no answer: it may be stored or not."""
        server.putcmd("data")
        server.getreply()
        server.send(item.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        self.forget_connection()
        self.ledger.count("answers lost on purpose")
        return False


class Stranger(SmtpClient):
    """A remote server: mail for one to three of our people."""

    def new(self) -> Letter:
        """The next mail."""
        people = self.chance.sample(sorted(self.people), self.chance.randrange(1, 4))
        return letter(self.token(), f"{self.name}@far.example", people, self.chance)

    def connected(self) -> smtplib.SMTP:
        """To the MX port."""
        server = smtplib.SMTP("127.0.0.1", settings.MX_PORT, timeout=30)
        server.ehlo("far.example")
        return server

    def kept(self, item: Letter) -> None:
        """A copy in each inbox."""
        self.ledger.promised("mails in", item.token, [self.people[each] for each in item.recipients])


class MailProgram(SmtpClient):
    """One of our people's mail programs: to colleagues and to the remote server."""

    def __init__(
        self, name: str, ledger: Ledger, seed: int, people: Mapping[str, int], *, address: str, password: str
    ) -> None:
        super().__init__(name, ledger, seed, people)
        self._address = address
        self._password = password

    def new(self) -> Letter:
        """The next mail."""
        colleagues = self.chance.sample(sorted(self.people), self.chance.randrange(0, 3))
        remote = ["x@far.example", "y@other.example"][: self.chance.randrange(0 if colleagues else 1, 3)]
        return letter(self.token(), self._address, [*colleagues, *remote], self.chance)

    def connected(self) -> smtplib.SMTP:
        """Signed in on the submission port under TLS."""
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE  # the installation's certificate is its own
        server = smtplib.SMTP_SSL("127.0.0.1", settings.SUBMISSIONS_PORT, timeout=30, context=trusting)
        server.ehlo("program.soak.test")
        server.login(self._address, self._password)
        return server

    def kept(self, item: Letter) -> None:
        """A copy for each colleague, one in Sent, and the queue has the rest."""
        local = [self.people[each] for each in item.recipients if each in self.people]
        sent = [*local, self.people[self._address]]
        remote = len(local) < len(item.recipients)
        self.ledger.promised("mails submitted", item.token, sent, remote=remote)
