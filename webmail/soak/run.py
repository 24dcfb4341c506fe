"""One run, inside its temporary installation: people, flow, kills, the end, the result line."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts.services import create_account, create_domain
from core.access import OWNER, Access
from core.checks import PORTS
from mta.company.policy import NO_RATES, set_send_policy
from mta.services.sending import update_send_settings
from webmail.soak import verdict
from webmail.soak.client import Client
from webmail.soak.ledger import Ledger
from webmail.soak.listener import Listener, all_caught_up
from webmail.soak.owner import Owner
from webmail.soak.pages import Browser
from webmail.soak.processes import Killer, Serve, answers
from webmail.soak.senders import MailProgram, Stranger
from webmail.soak.sink import Sink, sink_server
from webmail.soak.watcher import Watcher

PEOPLE = 5
PASSWORD = "a soaked 9 horse"
JOIN_S = 150.0
TELL_EVERY_S = 10.0

Say = Callable[[str], None]


def run(*, seconds: float, seed: int, sink_port: int, every_s: tuple[float, float], say: Say) -> list[str]:
    """Every broken rule; none is what is wanted."""
    ledger, serve = Ledger(), Serve()
    sink = Sink(ledger, seed)
    server = sink_server(sink, sink_port)
    server.start()
    call_command("migrate", verbosity=0)
    people = make_people()
    connection.close()
    began = time.monotonic()
    try:
        serve.start()
        flow(ledger, serve, people, seconds=seconds, seed=seed, every_s=every_s, say=say)
        sink.calm.set()
        say("the queue runs empty")
        ledger.violations += at_the_end(ledger, sink)
    finally:
        say("serve drains")
        code = serve.stop()
        server.stop()
    ledger.violations += stopped(code)
    say(result_line(ledger, seconds=time.monotonic() - began, seed=seed))
    return ledger.violations


def make_people() -> dict[str, int]:
    """Address to mailbox. What their programs send is saved to Sent, so that it can be looked for there."""
    domain = create_domain("soak.test")
    set_send_policy(domain, **NO_RATES)
    found = {}
    for name in (f"p{number}" for number in range(PEOPLE)):
        account = create_account(domain, name, name=name, password=PASSWORD)
        found[account.address] = account.pk
        update_send_settings(
            Access(account.pk, account.pk, OWNER), keeps_web_mail=True, keeps_program_mail=True, follows=False
        )
    return found


def flow(
    ledger: Ledger,
    serve: Serve,
    people: dict[str, int],
    *,
    seconds: float,
    seed: int,
    every_s: tuple[float, float],
    say: Say,
) -> None:
    """Mail flows and processes die for `seconds`; afterwards every client has brought its last thing to its end."""
    watcher = Watcher(ledger, list(people.values()))
    listeners = [Listener(ledger, people[each], address=each, password=PASSWORD) for each in sorted(people)[:2]]
    clients = make_clients(ledger, people, seed)
    killer = Killer(serve, ledger, random.Random(seed), every_s=every_s)
    for thread in (watcher, *listeners, *clients, killer):
        thread.start()
    told_at = time.monotonic()
    end = told_at + seconds
    while time.monotonic() < end and killer.is_alive():
        time.sleep(0.1)
        if time.monotonic() - told_at > TELL_EVERY_S:
            told_at = time.monotonic()
            say(f"{end - told_at:.0f} s to go: {summary(ledger)}")
    say("the killing is over; every client brings its last thing to its end")
    stop([killer])
    serve.wait_ready()
    stop(clients)
    say("live streams catch up")
    missing = all_caught_up(listeners)
    ledger.violations += [f"live: {mailbox} was not told everything" for mailbox in missing]
    stop([watcher])
    for listener in listeners:
        listener.stopping.set()  # it hears of it at the stream's next word; nobody waits for that


def make_clients(ledger: Ledger, people: dict[str, int], seed: int) -> list[Client[object]]:
    """Everybody who makes mail flow."""
    first, second, third, *_ = sorted(people)
    found: list[object] = [Stranger(f"mx{number}", ledger, seed, people) for number in range(4)]
    found += [
        MailProgram(f"program{number}", ledger, seed, people, address=each, password=PASSWORD)
        for number, each in enumerate((first, second))
    ]
    found += [
        Browser(f"browser{number}", ledger, seed, people, address=each, password=PASSWORD)
        for number, each in enumerate((second, third))
    ]
    found.append(Owner("owner", ledger, seed, list(people.values())))
    return found  # type: ignore[return-value]


def stop(threads: Sequence[Killer | Watcher | Client[object]]) -> None:
    """Ask all of them, then wait for each. Raises TimeoutError for one that does not end."""
    for thread in threads:
        thread.stopping.set()
    for thread in threads:
        thread.join(JOIN_S)
        if thread.is_alive():
            raise TimeoutError(f"{thread.name} did not end")


def at_the_end(ledger: Ledger, sink: Sink) -> Iterator[str]:
    """Every rule of the store that can be looked at now."""
    yield from verdict.stuck_deliveries()
    yield from verdict.drain()
    yield from verdict.broken_promises(ledger, sink.taken)
    yield from verdict.disagreeing_rows()


def stopped(code: int) -> Iterator[str]:
    """`serve` ended well and left nobody behind."""
    if code:
        yield f"serve ended with {code}"
    for port in (getattr(settings, name) for name in PORTS):
        if answers(port):
            yield f"somebody still listens on port {port}"


def summary(ledger: Ledger) -> str:
    """What happened so far."""
    return ", ".join(f"{number} {what}" for what, number in sorted(ledger.counts.items()))


def result_line(ledger: Ledger, *, seconds: float, seed: int) -> str:
    """The last line of a run."""
    kills = sum(number for what, number in ledger.counts.items() if what.startswith("kill "))
    return (
        f"{seconds:.0f} s on {connection.vendor}, seed {seed}: {kills} kills, {len(ledger.copies)} mails promised; "
        f"{summary(ledger)}; {len(ledger.violations)} violations"
    )
