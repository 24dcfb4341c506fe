"""The tables of domains, people and how they sign in."""

from accounts.models.accounts import Account, AccountManager
from accounts.models.addresses import Address, Group, GroupMember
from accounts.models.credentials import Credential
from accounts.models.domains import Department, Domain, DomainAlias
from accounts.models.grants import MailboxGrant
from accounts.models.program_rules import ProgramRule
from accounts.models.rights import AccountRights

__all__ = [
    "Account",
    "AccountManager",
    "AccountRights",
    "Address",
    "Credential",
    "Department",
    "Domain",
    "DomainAlias",
    "Group",
    "GroupMember",
    "MailboxGrant",
    "ProgramRule",
]
