"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures"]

# A busy machine is no defect: Hypothesis neither times an example nor complains that making one was slow.
settings.register_profile("globalmail", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("globalmail")

ID_MAX = 60


def pytest_configure(config: pytest.Config) -> None:
    """When Django is ready."""
    from tests.emptying import quick_teardown

    quick_teardown()


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Keys, signatures and archives differ from process to process, and the processes of a run must collect the same
    cases: long values are known by their argument's name and a number that pytest adds."""
    return argname if isinstance(val, (bytes, str)) and len(val) > ID_MAX else None
