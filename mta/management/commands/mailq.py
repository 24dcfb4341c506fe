"""`manage.py mailq`: what waits to leave, why, and what to do about it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Domain
from mta.models import Delivery
from mta.selectors.queue import count_by_state, follow, waiting
from mta.services import queue_acts

ACTS: dict[str, Callable[[Sequence[int]], int]] = {
    "hold": queue_acts.hold,
    "release": queue_acts.release_held,
    "retry": queue_acts.retry_now,
    "delete": queue_acts.discard,
}
LISTED = 50


class Command(BaseCommand):
    """Lists by default."""

    help = "Show the outgoing queue, say why a mail waits, follow an id, or hold, release, retry and delete deliveries."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and with which deliveries."""
        parser.add_argument("what", nargs="?", default="list", choices=["list", "why", "follow", *ACTS])
        parser.add_argument(
            "ids", nargs="*", help="numbers of deliveries; for follow the id in Received lines and the log"
        )
        parser.add_argument("--domain", help="of our domain's mailboxes only")
        parser.add_argument("--to", help="for recipients of this domain only")
        parser.add_argument(
            "--all", action="store_true", help="every delivery that waits (hold, release, retry, delete)"
        )
        parser.add_argument("--limit", type=int, default=LISTED)

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it and print."""
        if options["what"] == "follow":
            self._follow(options["ids"])
        elif options["what"] == "list":
            self._list(options)
        elif options["what"] == "why":
            for delivery in self._named(options):
                self._why(delivery)
        else:
            done = ACTS[options["what"]]([delivery.pk for delivery in self._chosen(options)])
            self.stdout.write(f"{done} deliveries")

    def _list(self, options: dict[str, Any]) -> None:
        for delivery in self._matching(options)[: options["limit"]]:
            state = "hold" if delivery.on_hold else delivery.state
            due = "" if delivery.on_hold else _ago(delivery.next_attempt_us)
            self.stdout.write(
                f"{delivery.pk:>8} {state:<9} {delivery.tries:>3} {due:<12} {delivery.submission.envelope_from or '<>'} → "
                f"{delivery.recipient}  {delivery.code} {delivery.text}".rstrip()
            )
        counts = sorted(count_by_state().items())
        self.stdout.write(", ".join(f"{number} {state}" for state, number in counts) or "The queue is empty.")

    def _matching(self, options: dict[str, Any]) -> Any:
        found = waiting(domain_id=_domain_id(options["domain"]))
        return found.filter(domain__iexact=options["to"]) if options["to"] else found

    def _named(self, options: dict[str, Any]) -> list[Delivery]:
        if not options["ids"] or not all(each.isdecimal() for each in options["ids"]):
            raise CommandError("Which deliveries? The numbers that `mailq` shows.")
        return list(Delivery.objects.filter(pk__in=map(int, options["ids"])).select_related("submission"))

    def _chosen(self, options: dict[str, Any]) -> list[Delivery]:
        if options["ids"]:
            return self._named(options)
        if not (options["all"] or options["to"] or options["domain"]):
            raise CommandError("Which deliveries? Numbers, --to, --domain or --all.")
        return list(self._matching(options))

    def _why(self, delivery: Delivery) -> None:
        submission = delivery.submission
        self.stdout.write(
            f"{delivery.pk}: {delivery.recipient}, {'on hold' if delivery.on_hold else delivery.get_state_display()}\n"
            f"  id {submission.queue_id or '-'}, from {submission.envelope_from or '<>'}, {submission.subject!r}\n"
            f"  tried {delivery.tries} times, next {_ago(delivery.next_attempt_us) if not delivery.on_hold else 'never'}\n"
            f"  {delivery.remote_host or 'nobody'} said: {delivery.code} {delivery.text}"
        )

    def _follow(self, ids: list[str]) -> None:
        for queue_id in ids:
            way = follow(queue_id)
            for event in way.events:
                data = event.data
                self.stdout.write(
                    f"{event.at:%Y-%m-%d %H:%M:%S} {event.kind:<9} {data.get('state', '')} {event.address} "
                    f"→ {data.get('to', '')} {event.remote_address or data.get('remote_host', '')} {event.error}".rstrip()
                )
            for delivery in way.deliveries:
                self._why(delivery)
            if not way.events and not way.deliveries:
                self.stdout.write(f"Nothing is known of {queue_id}.")


def _domain_id(name: str | None) -> int | None:
    if name is None:
        return None
    found = Domain.objects.filter(name=name.lower()).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no domain {name}.")
    return int(found)


def _ago(at_us: int) -> str:
    left = datetime.timedelta(seconds=round(at_us / 1e6 - time.time()))
    return f"in {left}" if left > datetime.timedelta(0) else "now"
