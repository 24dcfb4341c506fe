"""Everything that asks about domains, accounts and addresses; nothing here writes."""

from accounts.domain_names import (
    domain_named,
    domain_of_host,
    is_local_domain,
    local_domains,
)
from accounts.rows import (
    AccountRow,
    DepartmentRow,
    DomainRow,
    Expansion,
    Identity,
    Level,
    MailboxRow,
    Named,
    Person,
    Resolved,
)
from accounts.selectors.addresses import account_named, expand_group, groups_leaving, members_outside, resolve, subtree
from accounts.selectors.directory import complete, directory
from accounts.selectors.mailboxes import (
    access_for,
    client_codes_of,
    grants_of,
    identities_of,
    mailbox_named,
    mailboxes_of,
    may_send_as,
)
from accounts.selectors.naming import named

__all__ = [
    "AccountRow",
    "DepartmentRow",
    "DomainRow",
    "Expansion",
    "Identity",
    "Level",
    "MailboxRow",
    "Named",
    "Person",
    "Resolved",
    "access_for",
    "account_named",
    "client_codes_of",
    "complete",
    "directory",
    "domain_named",
    "domain_of_host",
    "expand_group",
    "grants_of",
    "groups_leaving",
    "identities_of",
    "is_local_domain",
    "local_domains",
    "mailbox_named",
    "mailboxes_of",
    "may_send_as",
    "members_outside",
    "named",
    "resolve",
    "subtree",
]
