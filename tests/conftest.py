"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures"]

# A busy machine is no defect: Hypothesis neither times an example nor complains that making one was slow.
settings.register_profile("globalmail", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("globalmail")
