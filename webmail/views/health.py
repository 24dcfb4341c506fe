"""Whether this process can serve: what a load balancer or a watchdog asks."""

from __future__ import annotations

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.redis import client


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, 503 when it does not. Without Redis mail still flows, so that is told but no failure."""
    database, feed = _database(), _redis()
    return JsonResponse({"database": database, "redis": feed}, status=200 if database else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    try:
        return bool(client().ping())
    except (redis.RedisError, OSError):
        return False
