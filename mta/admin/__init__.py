"""Administration of how mail travels, one file per subject; importing registers them."""

from mta.admin import (
    approval,
    certificates,
    company,
    forwards,
    moderation,
    monitoring,
    policies,
    quarantine,
    queue,
    rules,
    sent,
    transport,
)

__all__ = [
    "approval",
    "certificates",
    "company",
    "forwards",
    "moderation",
    "monitoring",
    "policies",
    "quarantine",
    "queue",
    "rules",
    "sent",
    "transport",
]
