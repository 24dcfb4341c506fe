"""Hints are sent without waiting, also to a Redis that was restarted meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis

from core.redis import Announcer, client as client_of_the_process
from tests.flows.test_redis import redis_server

HEARD_S = 60.0


def test_what_is_announced_is_heard_and_a_restart_is_survived(tmp_path: Path, settings: Any) -> None:
    socket = tmp_path / "redis"
    settings.REDIS_URL = f"unix://{socket}"
    client_of_the_process.cache_clear()
    announcer = Announcer()
    for _ in range(2):
        with redis_server(socket), redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as feed:
            feed.subscribe("words")
            assert (feed.get_message(timeout=HEARD_S) or {})["type"] == "subscribe"
            for word in ("first", "second"):
                announcer.publish("words", word)
                assert (feed.get_message(timeout=HEARD_S) or {})["data"] == word.encode()
    with pytest.raises((redis.RedisError, OSError)):
        announcer.publish("words", "nobody is there")
