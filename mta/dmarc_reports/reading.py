"""Reports of others about our domains: they come to dmarc-reports@, which is the system account's, and are read there.

What was read goes to that mailbox's Trash; what is no report stays where it is, marked as read.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from accounts.models import Account, Domain
from core.access import Access, system_access
from mailstore.message import parts, read
from mailstore.models import Flag, Role
from mailstore.selectors import entries
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.list_filter import Filter
from mailstore.selectors.lists import list_page
from mailstore.services.flags import set_flags
from mailstore.services.moves import delete
from mta.dmarc_reports import xml
from mta.models import DmarcReport

MAILS_MAX = 200
"""Mails of one run and domain."""
FILES_MAX = 5


def read_reports(domain: Domain) -> int:
    """Store the reports in the mailbox of `domain`'s system account; how many were new."""
    system = Account.objects.get(domain=domain, kind=Account.Kind.SYSTEM)
    access = system_access(system.pk)
    inbox = folder_by_role(access, Role.INBOX)
    page = list_page(access, inbox.id, filter=Filter(unread=True, attachment=True), limit=MAILS_MAX)
    return sum(_take(domain, access, row.entry_id) for row in page.rows)


def _take(domain: Domain, access: Access, entry_id: int) -> int:
    found = list(_reports(entries.raw(access, entry_id)))
    if not found:
        set_flags(access, [entry_id], add=Flag.SEEN)  # or it would be read every hour, and hold up the others
        return 0
    names = {domain.name, *domain.aliases.values_list("name", flat=True)}
    with transaction.atomic():
        stored = [_store(domain, report) for report in found if report.domain in names]
        delete(access, [entry_id])
    return sum(stored)


def _reports(raw: bytes) -> Iterator[xml.ReadReport]:
    """The reports among the attachments of a mail."""
    numbers = [part.number for part in read(raw).attachments[:FILES_MAX]]
    for part in parts(raw, numbers):
        report = xml.read(part.content)
        if report is not None:
            yield report


def _store(domain: Domain, report: xml.ReadReport) -> bool:
    rows = [
        {
            "address": row.address,
            "count": row.count,
            "disposition": row.disposition,
            "dkim": row.dkim,
            "spf": row.spf,
            "header_from": row.header_from,
        }
        for row in report.rows
    ]
    _report, is_new = DmarcReport.objects.get_or_create(
        domain=domain,
        organisation=report.organisation,
        report_id=report.report_id,
        defaults={
            "begins_at": report.begins_at,
            "ends_at": report.ends_at,
            "passed": sum(row.count for row in report.rows if row.passed),
            "failed": sum(row.count for row in report.rows if not row.passed),
            "rows": rows,
        },
    )
    return is_new
