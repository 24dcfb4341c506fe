"""Which kinds of rules accounts may have about their mail: `mta.inbound.facts` asks at RCPT only whether there are any; what
they say is read when a mail comes (`mta.inbound.arranging`)."""

from __future__ import annotations

from mta.rules.kinds import FILTER, FORWARD, REPLY

OF_ACCOUNTS = {
    FILTER: "mta_filter WHERE is_active",
    REPLY: "mta_autoreply WHERE is_active",
    FORWARD: "mta_autoforward WHERE is_active",
}
"""By kind: where the accounts stand that have such a rule, once or several times."""
