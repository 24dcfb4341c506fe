"""Whether a mail needs somebody's agreement: the rules of a domain against one submission."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

from accounts.models import Account, Department
from accounts.selectors import is_local_domain
from core.prepared import Prepared
from documents.html.text import html_to_text
from mailstore.message import read
from mta.models import ApprovalRule

_ANY = Prepared(lambda domain_id: ApprovalRule.objects.filter(domain=domain_id, is_active=True))
"""Nearly every domain has no rule, and every mail asks."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What rules look at. What costs something is worked out when a rule asks for it."""

    sender: Account
    recipients: Sequence[str]
    raw: bytes

    @functools.cached_property
    def searched(self) -> str:
        """Subject, text and names of files, without case."""
        readable = read(self.raw)
        text = readable.text or html_to_text(readable.html or "")
        return "\n".join([readable.subject, text, *(each.filename for each in readable.attachments)]).casefold()

    @functools.cached_property
    def file_types(self) -> set[str]:
        """The endings of attached files; `` for one without."""
        files = [each for each in read(self.raw).attachments if not each.inline]
        return {each.filename.rpartition(".")[2].casefold() if "." in each.filename else "" for each in files}


def rule_for(facts: Facts) -> ApprovalRule | None:
    """The first rule that fits; one query where the domain has none."""
    if _ANY.first(facts.sender.domain_id) is None:
        return None
    rules = ApprovalRule.objects.filter(domain=facts.sender.domain_id, is_active=True)
    rules = rules.select_related("approver", "substitute").prefetch_related("accounts", "departments", "exceptions")
    return next((rule for rule in rules.order_by("position", "pk") if fits(rule, facts)), None)


def fits(rule: ApprovalRule, facts: Facts) -> bool:
    """Whether a rule speaks of this sender and of this mail."""
    return (
        _is_of(rule, facts.sender)
        and _goes(rule, facts.recipients)
        and len(facts.recipients) >= rule.min_recipients
        and len(facts.raw) >= rule.min_size_kb * 1024
        and _has_file(rule, facts)
        and _has_word(rule, facts)
    )


def listed(text: str) -> list[str]:
    """Entries of a field: one in a line, or with commas."""
    parts = text.replace("\uff0c", ",").replace("\u3001", ",").replace(";", ",").replace(",", "\n").split("\n")
    return [part.strip() for part in parts if part.strip()]


def _is_of(rule: ApprovalRule, sender: Account) -> bool:
    if any(each.pk == sender.pk for each in rule.exceptions.all()):
        return False
    accounts, departments = rule.accounts.all(), {each.pk for each in rule.departments.all()}
    if not accounts and not departments:
        return True
    if any(each.pk == sender.pk for each in accounts):
        return True
    return bool(departments & _departments_above(sender.department_id, sender.domain_id)) if departments else False


def _departments_above(department_id: int | None, domain_id: int) -> set[int]:
    parents = dict(Department.objects.filter(domain=domain_id).values_list("pk", "parent_id"))
    found: set[int] = set()
    while department_id is not None and department_id not in found:
        found.add(department_id)
        department_id = parents.get(department_id)
    return found


def _goes(rule: ApprovalRule, recipients: Sequence[str]) -> bool:
    domains = {recipient.rpartition("@")[2].lower() for recipient in recipients}
    if rule.direction == ApprovalRule.Direction.INTERNAL:
        domains = {domain for domain in domains if is_local_domain(domain)}
    elif rule.direction == ApprovalRule.Direction.EXTERNAL:
        domains = {domain for domain in domains if not is_local_domain(domain)}
    wanted = [each.lower().lstrip("@*.") for each in listed(rule.recipient_domains)]
    if wanted:
        domains = {
            domain for domain in domains if any(domain == each or domain.endswith(f".{each}") for each in wanted)
        }
    return bool(domains)


def _has_file(rule: ApprovalRule, facts: Facts) -> bool:
    wanted = {each.casefold().lstrip("*.") for each in listed(rule.file_types)}
    if not wanted:
        return True
    return bool(facts.file_types) if "" in wanted else bool(wanted & facts.file_types)


def _has_word(rule: ApprovalRule, facts: Facts) -> bool:
    wanted = [each.casefold() for each in rule.keywords.split("\n") if each.strip()]
    return not wanted or any(each.strip() in facts.searched for each in wanted)
