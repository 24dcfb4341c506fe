"""Whether a mail needs somebody's agreement: the rules of a domain against one submission."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Sequence

from accounts.addressing import domain_key
from accounts.models import Account, Department
from accounts.selectors import is_local_domain, members_outside
from core.prepared import Prepared
from documents.html.bound import MAX_CHARS, MAX_TAGS
from documents.html.text import html_to_text
from mailstore.message import Readable, read
from mailstore.search.words import fold
from mta.models import ApprovalRule, Submission

_ANY = Prepared(lambda domain_id: ApprovalRule.objects.filter(domain=domain_id, is_active=True))
"""Nearly every domain has no rule, and every mail asks."""
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
"""Characters that nobody sees and that part a word."""
_BETWEEN = re.compile(r"[\s,;\uff0c\uff1b\u3001]+")
PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "bmp", "svg", "avif", "heic", ""})


@dataclasses.dataclass(frozen=True)
class Facts:
    """What rules look at. What costs something is worked out when a rule asks for it."""

    sender: Account
    recipients: Sequence[str]
    raw: bytes
    actor: Account | None = None
    """Who writes in a mailbox that is not his own."""

    @functools.cached_property
    def searched(self) -> str:
        """Subject, text and names of files, as `compared`."""
        readable = self._readable
        texts = [readable.text or "", html_to_text(readable.html or "")]  # they need not say the same
        return compared("\n".join([readable.subject, *texts, *(each.filename for each in readable.attachments)]))

    @property
    def is_too_long(self) -> bool:
        """Whether there is text that `searched` does not hold."""
        html = self._readable.html or ""
        return self._readable.is_truncated or len(html) > MAX_CHARS or html.count("<") > MAX_TAGS

    @functools.cached_property
    def file_types(self) -> set[str]:
        """The endings of attached files; `` for one without. Pictures that the text shows are none."""
        found = set()
        for each in self._readable.attachments:
            # Windows takes a name without the dots and spaces at its end.
            name = each.filename.casefold().rstrip(". ")
            ending = name.rpartition(".")[2] if "." in name else ""
            if not (each.inline and each.content_type.startswith("image/") and ending in PICTURES):
                found.add(ending)
        return found

    @functools.cached_property
    def domains_of_members(self) -> set[str]:
        """Where it goes by way of groups: the domains of their members that are none of ours."""
        return {_host(each) for each in members_outside(self.recipients)}

    @functools.cached_property
    def authors(self) -> list[tuple[Account, set[int]]]:
        """The mailbox and who writes in it, each with its department and those above."""
        both = [self.sender, *([self.actor] if self.actor is not None and self.actor.pk != self.sender.pk else [])]
        return [(each, _departments_above(each.department_id, each.domain_id)) for each in both]

    @functools.cached_property
    def _readable(self) -> Readable:
        return read(self.raw)


def facts_of(submission: Submission, sender: Account, recipients: Sequence[str], raw: bytes) -> Facts:
    """What rules look at of a submission of the mailbox `sender`; a query where somebody else writes in it."""
    actor = None
    if submission.actor_id not in {0, sender.pk}:
        actor = Account.objects.filter(pk=submission.actor_id).first()
    return Facts(sender, recipients, raw, actor)


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
        _is_of(rule, facts)
        and _goes(rule, facts)
        and len(facts.recipients) >= rule.min_recipients
        and len(facts.raw) >= rule.min_size_kb * 1024
        and _has_file(rule, facts)
        and _has_word(rule, facts)
    )


def listed(text: str) -> list[str]:
    """Entries of a field: one in a line, or with commas or spaces."""
    return [part for part in _BETWEEN.split(text) if part]


def compared(text: str) -> str:
    """`text` as words are looked for in it: without case, width, traditional forms, line breaks and what nobody sees."""
    return " ".join(fold(_UNSEEN.sub("", text)).split())


def _is_of(rule: ApprovalRule, facts: Facts) -> bool:
    """Whether it speaks of the mailbox or of who writes in it: nobody gets round a rule by way of a shared mailbox."""
    return any(_speaks_of(rule, *author) for author in facts.authors)


def _speaks_of(rule: ApprovalRule, author: Account, above: set[int]) -> bool:
    if any(each.pk == author.pk for each in rule.exceptions.all()):
        return False
    if rule.authors == ApprovalRule.Authors.ALL:
        return True
    if any(each.pk == author.pk for each in rule.accounts.all()):
        return True
    return bool(above & {each.pk for each in rule.departments.all()})


def _departments_above(department_id: int | None, domain_id: int) -> set[int]:
    if department_id is None:
        return set()
    parents = dict(Department.objects.filter(domain=domain_id).values_list("pk", "parent_id"))
    found: set[int] = set()
    while department_id is not None and department_id not in found:
        found.add(department_id)
        department_id = parents.get(department_id)
    return found


def _goes(rule: ApprovalRule, facts: Facts) -> bool:
    return _meant(rule, {_host(recipient) for recipient in facts.recipients}) or _meant(rule, facts.domains_of_members)


def _meant(rule: ApprovalRule, domains: set[str]) -> bool:
    """Whether mail to one of these domains is mail of which it speaks."""
    if rule.direction == ApprovalRule.Direction.INTERNAL:
        domains = {domain for domain in domains if is_local_domain(domain)}
    elif rule.direction == ApprovalRule.Direction.EXTERNAL:
        domains = {domain for domain in domains if not is_local_domain(domain)}
    wanted = [_host(each.lstrip("@*.")) for each in listed(rule.recipient_domains)]
    if wanted:
        domains = {
            domain for domain in domains if any(domain == each or domain.endswith(f".{each}") for each in wanted)
        }
    return bool(domains)


def _host(text: str) -> str:
    """The name of an address's host or of a host, as A-labels; as it is where it is no name."""
    name = text.rpartition("@")[2]
    return domain_key(name) or name.lower()


def _has_file(rule: ApprovalRule, facts: Facts) -> bool:
    wanted = {each.casefold().lstrip("*.") for each in listed(rule.file_types)}
    if not wanted:
        return True
    return bool(facts.file_types) if "" in wanted else bool(wanted & facts.file_types)


def _has_word(rule: ApprovalRule, facts: Facts) -> bool:
    wanted = [word for line in rule.keywords.splitlines() if (word := compared(line))]
    # Whoever hides a word behind megabytes of text is asked about it too.
    return not wanted or any(word in facts.searched for word in wanted) or facts.is_too_long
