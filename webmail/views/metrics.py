"""`/metrics` in Prometheus' text form: what all processes have counted (core.metrics), and how the queue and the index stand.

For this machine, or for who has METRICS_TOKEN: figures tell strangers how busy a company is. A request that a proxy passed
on counts as a stranger's.
"""

from __future__ import annotations

import collections
import hmac
import ipaddress
from collections.abc import Iterator

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from core import metrics
from mailstore.search.rebuild import waiting
from mta.certificates.selectors import days_left
from mta.selectors.queue import count_by_state

PREFIX = "globalmail_"
WAITING_MAX = 100_000
HELP = {
    "smtp_refusals": "Commands and mails refused over SMTP, by reply",
    "messages_received": "Mails taken from other servers",
    "messages_submitted": "Mails of mail programs",
    "deliveries": "Ends of attempts to deliver to other servers",
    "receive_seconds": "From the final dot to the commit",
    "send_seconds": "One attempt to deliver to another server",
}

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """The figures; 404 for strangers."""
    if not _may_read(request):
        return HttpResponse(status=404)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and given:
        return hmac.compare_digest(given.encode(), token.encode())
    try:
        is_own = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", ""))).is_loopback
    except ValueError:
        return False
    return is_own and not request.headers.get("X-Forwarded-For") and not request.headers.get("Forwarded")


class _Installation(Collector):
    """Asked anew for each request."""

    def collect(self) -> Iterator[Family]:
        """Counters of all processes, then how things stand."""
        yield from _counted()
        queue = GaugeMetricFamily(f"{PREFIX}queue", "Deliveries that have not ended", labels=["state"])
        for state, number in count_by_state().items():
            queue.add_metric([state], number)
        yield queue
        lag = GaugeMetricFamily(f"{PREFIX}index_waiting", "Mails that the search index does not have yet")
        lag.add_metric([], waiting(limit=WAITING_MAX))
        yield lag
        expiry = GaugeMetricFamily(f"{PREFIX}certificate_days", "Days until a certificate expires", labels=["host"])
        for host, days in days_left().items():
            expiry.add_metric([host], days)
        yield expiry


def _counted() -> Iterator[Family]:
    is_up = GaugeMetricFamily(f"{PREFIX}redis_up", "Whether Redis answers; without it the counters are missing here")
    try:
        totals = metrics.totals()
    except (redis.RedisError, OSError):
        is_up.add_metric([], 0)
        yield is_up
        return
    is_up.add_metric([], 1)
    yield is_up
    by_name: dict[str, list[tuple[dict[str, str], float]]] = collections.defaultdict(list)
    for (name, labels), amount in sorted(totals.items()):
        by_name[name].append((dict(labels), amount))
    histograms = {name.removesuffix("_bucket") for name in by_name if name.endswith("_bucket")}
    for name, samples in by_name.items():
        if not any(name in {f"{each}_bucket", f"{each}_sum"} for each in histograms):
            yield _counter(name, samples)
    for name in sorted(histograms):
        yield _histogram(name, by_name[f"{name}_bucket"], by_name.get(f"{name}_sum", []))


def _counter(name: str, samples: list[tuple[dict[str, str], float]]) -> CounterMetricFamily:
    names = sorted({label for labels, _ in samples for label in labels})
    family = CounterMetricFamily(f"{PREFIX}{name}", HELP.get(name, name), labels=names)
    for labels, amount in samples:
        family.add_metric([labels.get(each, "") for each in names], amount)
    return family


def _histogram(
    name: str, buckets: list[tuple[dict[str, str], float]], sums: list[tuple[dict[str, str], float]]
) -> HistogramMetricFamily:
    names = sorted({label for labels, _ in buckets for label in labels if label != "le"})
    family = HistogramMetricFamily(f"{PREFIX}{name}", HELP.get(name, name), labels=names)
    by_labels: dict[tuple[str, ...], dict[str, float]] = collections.defaultdict(dict)
    for labels, amount in buckets:
        by_labels[tuple(labels.get(each, "") for each in names)][labels["le"]] = amount
    totals = {tuple(labels.get(each, "") for each in names): amount for labels, amount in sums}
    edges = [*(str(each) for each in metrics.BUCKETS_S), "+Inf"]
    for key, found in by_labels.items():
        running, cumulative = 0.0, []
        for edge in edges:
            running += found.get(edge, 0.0)
            cumulative.append((edge, running))
        family.add_metric(list(key), cumulative, totals.get(key, 0.0))
    return family
