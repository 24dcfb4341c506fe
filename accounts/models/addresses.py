"""Every address this system answers for, in one table: RCPT is one indexed look-up."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.accounts import Account
from accounts.models.domains import Department, Domain


class Group(models.Model):
    """An address that stands for many: all of the domain, a department, or a list."""

    class Kind(models.TextChoices):
        ALL = "all", _("Everybody in the domain")
        DEPARTMENT = "department", _("A department and its sub-departments")
        LIST = "list", _("List of members")

    class Posting(models.TextChoices):
        """Who may write to it."""

        ANYONE = "anyone", _("Anyone")
        DOMAIN = "domain", _("Members of the domain")
        MEMBERS = "members", _("Members of the group")
        CHOSEN = "chosen", _("Chosen people")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="groups", verbose_name=_("domain"))
    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("description"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.LIST)
    department = models.ForeignKey(
        Department, models.CASCADE, null=True, blank=True, related_name="groups", verbose_name=_("department")
    )
    posting = models.CharField(_("who may write"), max_length=8, choices=Posting.choices, default=Posting.DOMAIN)
    posters = models.TextField(
        _("chosen people"),
        blank=True,
        help_text=_("One address a line; who may write when only chosen people may."),
    )
    needs_approval = models.BooleanField(_("mail needs approval"), default=False)
    approver = models.ForeignKey(
        Account, models.SET_NULL, null=True, blank=True, related_name="approves", verbose_name=_("approver")
    )
    """Whose own mail needs none."""

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """A member of a list: an account, another group, or an external address (at most 15)."""

    MAX_EXTERNAL = 15

    group = models.ForeignKey(Group, models.CASCADE, related_name="members", verbose_name=_("group"))
    account = models.ForeignKey(
        Account, models.CASCADE, null=True, blank=True, related_name="memberships", verbose_name=_("account")
    )
    subgroup = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="containers", verbose_name=_("group in the group")
    )
    external = models.CharField(_("external address"), max_length=320, blank=True)

    class Meta:
        verbose_name = _("group member")
        verbose_name_plural = _("group members")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "account"], name="member_account"),
            models.UniqueConstraint(fields=["group", "subgroup"], name="member_subgroup"),
            models.UniqueConstraint(
                fields=["group", "external"], condition=~models.Q(external=""), name="member_external"
            ),
            models.CheckConstraint(
                condition=models.Q(account__isnull=False, subgroup__isnull=True, external="")
                | models.Q(account__isnull=True, subgroup__isnull=False, external="")
                | models.Q(account__isnull=True, subgroup__isnull=True) & ~models.Q(external=""),
                name="member_one_of_three",
            ),
        ]

    def __str__(self) -> str:
        return self.external or str(self.account or self.subgroup)


class Address(models.Model):
    """One local address: an account's own, an alias, or a group's. Domain aliases need no rows."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="addresses", verbose_name=_("domain"))
    address = models.CharField(_("address"), max_length=320, unique=True)
    account = models.ForeignKey(
        Account, models.CASCADE, null=True, blank=True, related_name="addresses", verbose_name=_("account")
    )
    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="addresses", verbose_name=_("group")
    )
    is_alias = models.BooleanField(_("alias"), default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering: ClassVar = ["address"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(account__isnull=True) ^ models.Q(group__isnull=True), name="address_one_of_two"
            )
        ]

    def __str__(self) -> str:
        return self.address
