"""PostgreSQL's planner is told what it runs on."""

from __future__ import annotations

import pytest
from django.db import connection

from core.planner import SETTINGS
from mailstore import sql


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's planner")
@pytest.mark.django_db(transaction=True)
def test_every_connection_tells_the_planner() -> None:
    connection.close()
    assert {name: sql.row(f"SHOW {name}")[0] for name in SETTINGS} == SETTINGS
