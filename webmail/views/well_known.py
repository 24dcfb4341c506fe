"""What machines look for under /.well-known: the MTA-STS policy, answers to ACME; and mail programs' settings.

All of it is public, costs a query at most, and is served under the hosts of local domains alone (`KnownHosts`).
"""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.domain_names import domain_of_host
from mta.certificates.acme import challenge_answer
from mta.records.sts import policy_text

TOKEN_MAX = 128


@require_safe
def mta_sts(request: HttpRequest) -> HttpResponse:
    """RFC 8461 3.2: text/plain, under mta-sts.DOMAIN alone."""
    host = split_domain_port(request.get_host())[0].lower()
    if settings.MTA_STS_MODE == "none" or not host.startswith("mta-sts.") or domain_of_host(host) is None:
        raise Http404
    return HttpResponse(policy_text(), content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def acme_challenge(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8555 8.3."""
    answer = challenge_answer(token) if len(token) <= TOKEN_MAX else None
    if answer is None:
        raise Http404
    return HttpResponse(answer, content_type="application/octet-stream")


@require_safe
def autoconfig(request: HttpRequest) -> HttpResponse:
    """Thunderbird's form, which other programs read too: servers, ports, and that the name is the full address."""
    row = domain_of_host(split_domain_port(request.get_host())[0])
    if row is None:
        raise Http404
    context = {"name": row.name, "title": row.title or row.name, "host": settings.PUBLIC_HOST, "ports": settings}
    return render(request, "webmail/autoconfig.xml", context, content_type="text/xml; charset=utf-8")
