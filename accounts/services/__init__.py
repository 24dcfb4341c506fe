"""Everything that changes domains, accounts and addresses. Each call is one transaction with its audit event.

`actor` is who asks: None is the system itself (commands, import); an administrator may do what his role allows;
everybody else is refused (another domain's administrator finds nothing).
"""

from accounts.services.accounts import (
    create_account,
    erase_account,
    restore_account,
    suspend_account,
    update_account,
)
from accounts.services.addresses import (
    add_alias,
    add_domain_alias,
    remove_alias,
    remove_domain_alias,
    set_catch_all,
)
from accounts.services.client_codes import create_client_code, revoke_client_code
from accounts.services.credentials import set_password
from accounts.services.departments import (
    create_department,
    delete_department,
    update_department,
)
from accounts.services.domains import create_domain, update_domain
from accounts.services.grants import grant_mailbox, revoke_mailbox
from accounts.services.groups import (
    add_member,
    create_group,
    delete_group,
    remove_member,
    update_group,
)
from accounts.services.program_rules import remove_program_rule, set_program_rule
from accounts.services.rights import remove_rights, set_rights

__all__ = [
    "add_alias",
    "add_domain_alias",
    "add_member",
    "create_account",
    "create_client_code",
    "create_department",
    "create_domain",
    "create_group",
    "delete_department",
    "delete_group",
    "erase_account",
    "grant_mailbox",
    "remove_alias",
    "remove_domain_alias",
    "remove_member",
    "remove_program_rule",
    "remove_rights",
    "restore_account",
    "revoke_client_code",
    "revoke_mailbox",
    "set_catch_all",
    "set_password",
    "set_program_rule",
    "set_rights",
    "suspend_account",
    "update_account",
    "update_department",
    "update_domain",
    "update_group",
]
