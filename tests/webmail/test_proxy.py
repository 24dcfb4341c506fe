"""The address of the browser behind a proxy."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from webmail.middleware.proxy import ForwardedAddress


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("203.0.113.7, unknown", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_last_forwarded_address_is_the_browsers(forwarded: str, expected: str) -> None:
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    ForwardedAddress(view)(RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1"))
    assert seen == [expected]


@pytest.mark.parametrize(("behind", "believed"), [("1", True), ("0", False)])
def test_forwarded_addresses_are_believed_behind_a_proxy_only(behind: str, believed: bool) -> None:
    script = "import webmail.settings as s; print('webmail.middleware.proxy.ForwardedAddress' in s.MIDDLEWARE)"
    environment = {**os.environ, "BEHIND_PROXY": behind}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(believed)
