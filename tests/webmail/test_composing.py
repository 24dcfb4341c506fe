"""A draft on its way to bytes. Pure: no database."""

from __future__ import annotations

import pytest
from django.utils import translation

from webmail import composing


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def test_pass() -> None:
    assert composing.typed_html("a\n<b>") == "<p>a</p><p>&lt;b&gt;</p>"
