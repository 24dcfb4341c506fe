"""Our own MTA-STS policy (RFC 8461 3): which servers take a domain's mail, for others to hold us to.

It is the same for every domain of the installation, and its id follows from what it says.
"""

from __future__ import annotations

import hashlib

from django.conf import settings

MAX_AGE_S = 7 * 86_400


def policy_text() -> str:
    """What https://mta-sts.DOMAIN/.well-known/mta-sts.txt says."""
    hosts = settings.MX_HOSTS or [settings.EHLO_NAME]
    lines = ["version: STSv1", f"mode: {settings.MTA_STS_MODE}", *(f"mx: {host}" for host in hosts)]
    return "\r\n".join([*lines, f"max_age: {MAX_AGE_S}", ""])


def policy_id() -> str:
    """Changes whenever the policy does (3.1)."""
    return hashlib.sha256(policy_text().encode()).hexdigest()[:20]
