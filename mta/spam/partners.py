"""Whom a company writes to: learnt from its people's correspondents, so that a name made to look like a partner's is seen."""

from __future__ import annotations

import time
from collections import Counter

from django.db import transaction

from accounts.models import Account, Domain
from core.bulk import insert_rows
from mailstore import sql
from mta.authentication.dmarc import organisational_domain
from mta.models import LookalikeKey, SpamCorpus
from mta.spam.known import own_domains
from mta.spam.names import FREE_MAIL, keys_of
from mta.spam.record import change_records

PARTNERS_MAX = 5_000
"""Of one company; ten keys each."""
KEYS_MAX = PARTNERS_MAX * 12
OVERLAP_US = 3600 * 1_000_000
"""Looked at again: a row may be committed after a later one."""


def meet_partners(domain: Domain) -> None:
    """Take in the correspondents since last time. One transaction."""
    now_us = time.time_ns() // 1000
    corpus, _ = SpamCorpus.objects.get_or_create(domain=domain, account_id=0)
    people = list(Account.objects.filter(domain=domain, status=Account.Status.ACTIVE).values_list("pk", flat=True))
    found: Counter[str] = Counter()
    for some in sql.slices(people):
        query = f"SELECT address FROM mailstore_correspondent WHERE {sql.among('mailbox_id')} AND last_us > %s AND sent_count > 0"
        found.update(
            organisational_domain(address.rpartition("@")[2].lower())
            for (address,) in sql.rows(query, [sql.numbers(some), corpus.met_until_us])
        )
    ours = own_domains(domain.pk)
    partners = {name: count for name, count in found.items() if name and name not in ours and name not in FREE_MAIL}
    with transaction.atomic():
        change_records({(domain.pk, name): {"written": count} for name, count in partners.items()})
        if LookalikeKey.objects.filter(domain=domain).count() < KEYS_MAX:
            rows = sorted((domain.pk, key, name) for name in partners for key in keys_of(name))
            insert_rows(
                "mta_lookalikekey", "domain_id, key, name", rows, "ON CONFLICT (domain_id, key, name) DO NOTHING"
            )
        SpamCorpus.objects.filter(pk=corpus.pk).update(met_until_us=now_us - OVERLAP_US)
