"""What PostgreSQL's planner is told by every connection of ours, before anything is asked.

Its defaults are for disks with heads and for reports. A slice of 5,000 mails looks like work enough to read the whole
table and to start two processes for that, although the index finds them in a fifth of the time at any size of the table;
a question whose cost is guessed too high is compiled for longer than it runs. Set by statements and not among the
connection's options, which poolers refuse.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.signals import connection_created

SETTINGS = {
    "random_page_cost": "1.1",  # an SSD, or memory
    "max_parallel_workers_per_gather": "0",  # many short questions at a time, never one long one
    "jit": "off",
}


def tell_planner(connection: Any, **_: object) -> None:
    """Set SETTINGS for the session, in one round trip; nothing on SQLite."""
    if connection.vendor == "postgresql":
        connection.connection.execute("; ".join(f"SET {name} = {value}" for name, value in SETTINGS.items()))


def tell_planners() -> None:
    """Every connection that is made from now on."""
    connection_created.connect(tell_planner, dispatch_uid="core.planner")
