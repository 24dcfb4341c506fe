"""Whether this process can serve: what a load balancer or a watchdog asks."""

from __future__ import annotations

import socket

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.connection import own_host
from core.redis import client

SERVERS = {"smtp": "MX_PORT", "imap": "IMAP_PORT", "pop3": "POP3_PORT"}
"""The other servers, by the setting of the port where this machine's would listen."""
CONNECT_S = 0.5


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, 503 when it does not. The rest is told but no failure: without Redis mail still
    flows, and the other servers may stand on another machine."""
    database = _database()
    found = {"database": database, "redis": _redis()}
    found |= {name: _listens(getattr(settings, port)) for name, port in SERVERS.items()}
    return JsonResponse(found, status=200 if database else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _listens(port: int) -> bool:
    try:
        socket.create_connection((own_host(), port), timeout=CONNECT_S).close()
    except OSError:
        return False
    return True


def _redis() -> bool:
    try:
        return bool(client().ping())
    except (redis.RedisError, OSError):
        return False
