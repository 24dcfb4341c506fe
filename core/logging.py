"""Structured logs: one line per event on standard error, `key=value` for people or JSON for machines."""

from __future__ import annotations

import logging.config
from typing import Any

import structlog

SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(options: dict[str, Any]) -> None:
    """Send the standard library's loggers through structlog. `options`: level, json."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not options["json"]:
        renderer = structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "logger", "event"], bool_as_flag=False
        )
    finish = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        renderer,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"()": structlog.stdlib.ProcessorFormatter, "processors": finish, "foreign_pre_chain": SHARED}
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {"django.server": {"propagate": True}, "mail.log": {"level": "WARNING"}},
        }
    )
