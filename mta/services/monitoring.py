"""Rules of monitoring, the mark on what was recalled, and the record of every view."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Domain
from accounts.services.permission import apply, audit, require_admin
from core.access import Access
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from logs_app.services import NewEvent, record_many
from mailstore import sql
from mailstore.services.monitoring import mark_monitored
from mta.inbound import monitoring
from mta.inbound.filing import Verdict
from mta.models import MonitoredFolder, MonitorRule, Submission
from mta.steps import Recalled

PLAIN_FIELDS = frozenset(
    {
        "name",
        "is_active",
        "whole_domain",
        "from_inside",
        "from_outside",
        "to_inside",
        "to_outside",
        "with_attachment",
        "min_size_kb",
        "keywords",
        "begins_at",
        "ends_at",
    }
)
MANY_FIELDS = ("monitors", "accounts", "departments")
KEYWORDS_MAX = 100
ONE_VIEW_S = 60
"""Within so long the page of a mail and its parts are one view."""
KEYWORD_MAX_CHARS = 100


@transaction.atomic
def create_monitor_rule(domain: Domain, name: str, *, actor: Account | None = None, **fields: Any) -> MonitorRule:
    """A rule, with PLAIN_FIELDS and (as rows of this domain) MANY_FIELDS; obeyed within a second.

    Raises INVALID (with `field`: no monitor, no target, no direction, a period that ends before it begins, another
    domain's row), NO_PERMISSION, NOT_FOUND.
    """
    require_admin(actor, domain.pk)
    plain, many = _split({**fields, "name": name})
    _require_valid(domain.pk, MonitorRule(domain=domain, **plain), {**dict.fromkeys(MANY_FIELDS, ()), **many})
    rule = MonitorRule.objects.create(domain=domain, **plain)
    for field, rows in many.items():
        getattr(rule, field).set(rows)
    audit(actor, "create_monitor_rule", domain_id=domain.pk, address=domain.name, name=rule.name, **_told(rule))
    transaction.on_commit(monitoring.forget)
    return rule


@transaction.atomic
def update_monitor_rule(rule: MonitorRule, *, actor: Account | None = None, **changes: Any) -> MonitorRule:
    """Change fields; copies that were made stay where they are. Raises as `create_monitor_rule`."""
    require_admin(actor, rule.domain_id)
    fresh = MonitorRule.objects.select_for_update(of=("self",)).select_related("domain").get(pk=rule.pk)
    plain, many = _split(changes)
    wanted = MonitorRule(domain=fresh.domain, **{each: plain.get(each, getattr(fresh, each)) for each in PLAIN_FIELDS})
    rows = {field: many.get(field, list(getattr(fresh, field).all())) for field in MANY_FIELDS}
    _require_valid(fresh.domain_id, wanted, rows)
    described = apply(fresh, plain)
    for field, chosen in many.items():
        getattr(fresh, field).set(chosen)
    if described or many:
        facts = {"name": fresh.name, "changes": described, **_told(fresh)}
        audit(actor, "update_monitor_rule", domain_id=fresh.domain_id, address=fresh.domain.name, **facts)
    transaction.on_commit(monitoring.forget)
    return fresh


@transaction.atomic
def delete_monitor_rule(rule: MonitorRule, *, actor: Account | None = None) -> None:
    """No more copies; those that were made stay. Raises NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, rule.domain_id)
    facts = {"name": rule.name, **_told(rule)}
    audit(actor, "delete_monitor_rule", domain_id=rule.domain_id, address=rule.domain.name, **facts)
    rule.delete()
    transaction.on_commit(monitoring.forget)


def mark_recalled(recalled: Recalled) -> None:
    """The step after a recall: what monitors have of the mail stays, and says that it was recalled."""
    row = Submission.objects.filter(pk=recalled.submission_id).values_list("mailbox_id", "sent_blob_id").first()
    mark_monitored(monitoring.watched_folders([recalled.mailbox]), [recalled.sha256], int(Verdict.RECALLED))
    if row is not None:
        sent = sql.row("SELECT sha256 FROM mailstore_blob WHERE id = %s", [row[1]]) if row[1] else None
        hashes = [recalled.sha256, *([bytes(sent[0])] if sent else [])]
        mark_monitored(monitoring.watched_folders([row[0]]), hashes, int(Verdict.RECALLED))


def note_views(access: Access, message_ids: Iterable[int], *, protocol: str, remote_address: str = "") -> None:
    """Record that somebody looks at monitored mail: an event for each mail, durable when this returns. Messages of
    other folders are passed over."""
    wanted = list(set(message_ids))
    if not wanted:
        return
    query = (
        "SELECT e.folder_id, m.subject, m.sender_address, m.id FROM mailstore_entry e "
        "JOIN mailstore_folder f ON f.id = e.folder_id JOIN mailstore_message m ON m.id = e.message_id "
        f"WHERE {sql.among('e.message_id')} AND e.mailbox_id = %s AND f.role = 'monitor'"
    )
    rows = sql.rows(query, [sql.numbers(wanted), access.mailbox])
    if rows and not _is_noted(access, wanted, protocol):
        events = _views(access, rows, protocol, remote_address)
        with transaction.atomic():
            record_many(events)


def _is_noted(access: Access, message_ids: Sequence[int], protocol: str) -> bool:
    """A page and what it loads are one view."""
    if protocol != "web" or len(message_ids) != 1:
        return False
    since = timezone.now() - datetime.timedelta(seconds=ONE_VIEW_S)
    recent = Event.objects.filter(kind=Kind.MONITOR_VIEW, at__gte=since, protocol=protocol)
    viewer = Account.objects.filter(pk=access.actor or access.mailbox).values("address")[:1]
    return recent.filter(actor=viewer, data__message=str(message_ids[0])).exists()


def _views(access: Access, rows: Sequence[Any], protocol: str, remote_address: str) -> list[NewEvent]:
    folders = MonitoredFolder.objects.filter(folder_id__in=[row[0] for row in rows]).select_related("target")
    targets = {each.folder_id: each.target for each in folders}
    viewer = Account.objects.filter(pk=access.actor or access.mailbox).values_list("address", flat=True).first()
    return [
        NewEvent(
            Kind.MONITOR_VIEW,
            domain_id=targets[folder_id].domain_id,
            account_id=targets[folder_id].pk,
            address=targets[folder_id].address,
            actor=viewer or "",
            protocol=protocol,
            remote_address=remote_address or access.via.remote_address,
            data={"subject": subject, "from": sender, "message": str(message_id)},
        )
        for folder_id, subject, sender, message_id in rows
        if folder_id in targets
    ]


def _split(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    unknown = fields.keys() - PLAIN_FIELDS - set(MANY_FIELDS)
    if unknown:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(unknown)))
    plain = {name: value for name, value in fields.items() if name in PLAIN_FIELDS}
    return plain, {name: list(value) for name, value in fields.items() if name in MANY_FIELDS}


def _require_valid(domain_id: int, rule: MonitorRule, many: dict[str, Any]) -> None:
    if not rule.name.strip():
        raise MailError(ErrorKind.INVALID, field="name")
    for field, rows in many.items():
        if any(row.domain_id != domain_id for row in rows):
            raise MailError(ErrorKind.INVALID, field=field)
    if not many["monitors"]:
        raise MailError(ErrorKind.INVALID, field="monitors")
    if not (rule.whole_domain or many["accounts"] or many["departments"]):
        raise MailError(ErrorKind.INVALID, field="accounts")
    if not (rule.from_inside or rule.from_outside or rule.to_inside or rule.to_outside):
        raise MailError(ErrorKind.INVALID, field="from_inside")
    if rule.begins_at and rule.ends_at and rule.ends_at <= rule.begins_at:
        raise MailError(ErrorKind.INVALID, field="ends_at")
    lines = rule.keywords.splitlines()
    if len(lines) > KEYWORDS_MAX or any(len(line) > KEYWORD_MAX_CHARS for line in lines):
        raise MailError(ErrorKind.INVALID, field="keywords")


def _told(rule: MonitorRule) -> dict[str, object]:
    """Who watches whom, for the record."""
    targets = ["*"] if rule.whole_domain else [str(each) for each in (*rule.accounts.all(), *rule.departments.all())]
    return {"monitors": [str(each) for each in rule.monitors.all()], "targets": targets}
