"""The flows use the servers of `tests.mta`."""

from __future__ import annotations

from tests.mta.conftest import running

__all__ = ["running"]
