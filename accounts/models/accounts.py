"""Accounts: whoever owns mail or signs in. No counter lives here, and every save names its fields."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models.domains import Department, Domain

MAX_ACCOUNT_ID = (1 << 27) - 1
"""The id of an account is the high part of every id in its mailbox (27 bits)."""


class AccountManager(BaseUserManager["Account"]):
    """Looks accounts up by their full address; making one is the work of `accounts.services`."""

    def get_by_natural_key(self, username: str | None) -> Account:
        """The account of a full address."""
        return self.get(address=username)


class Account(AbstractBaseUser):
    """A person, a shared mailbox or the domain's system account. The id is also its mailbox's id (< 2^27).

    Django's password column is gone: the verifiers of every protocol are in `Credential`.
    """

    password = None  # type: ignore[assignment]

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        SHARED = "shared", _("Shared mailbox")
        SYSTEM = "system", _("System account")

    class Role(models.TextChoices):
        """What an account may administer."""

        MEMBER = "member", _("Member")
        DOMAIN_ADMIN = "domain_admin", _("Domain administrator")
        OPERATOR = "operator", _("System operator")

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        ERASED = "erased", _("Erased")

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="accounts", verbose_name=_("domain"))
    local_part = models.CharField(_("account name"), max_length=64)
    address = models.CharField(_("address"), max_length=320, unique=True)
    """local_part@domain.name, kept by the services."""
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PERSON)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.MEMBER)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE)
    name = models.CharField(_("full name"), max_length=120)
    title = models.CharField(_("job title"), max_length=80, blank=True)
    department = models.ForeignKey(
        Department, models.SET_NULL, null=True, blank=True, related_name="accounts", verbose_name=_("department")
    )
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="zh-hans")
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Shanghai")
    quota_bytes = models.BigIntegerField(_("mailbox space (bytes)"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    must_change_password = models.BooleanField(_("must change the password"), default=False)
    is_hidden = models.BooleanField(_("hidden in the directory"), default=False)
    session_version = models.PositiveIntegerField(default=1, editable=False)
    """Rises when the password changes: every session signed with another number ends."""
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "address"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering: ClassVar = ["address"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["domain", "local_part"], name="account_local_part")]

    def __str__(self) -> str:
        return self.address

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether sign-in is possible at all (Django's name)."""
        return self.status == self.Status.ACTIVE and self.kind != self.Kind.SYSTEM

    @property
    def is_expired(self) -> bool:
        """Whether the last day of validity, in the account's zone, is over."""
        zone = zoneinfo.ZoneInfo(self.time_zone)
        return self.valid_until is not None and timezone.now().astimezone(zone).date() > self.valid_until

    @property
    def is_in_force(self) -> bool:
        """Whether anything may be done in its name: neither suspended, erased nor expired, and its domain (loaded) is active."""
        return self.status == self.Status.ACTIVE and not self.is_expired and self.domain.is_active

    @property
    def is_operator(self) -> bool:
        """Administers every domain."""
        return self.role == self.Role.OPERATOR

    @property
    def is_staff(self) -> bool:
        """May open the administration (Django's name)."""
        return self.is_active and self.role in {self.Role.DOMAIN_ADMIN, self.Role.OPERATOR}

    @property
    def is_superuser(self) -> bool:
        """Django's name for the system operator."""
        return self.is_active and self.is_operator

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Administrators may use the administration's models; which rows, its base class decides."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """As `has_perm`."""
        return self.is_staff

    def check_password(self, raw_password: str | None) -> bool:
        """Never here: `accounts.sign_in` checks secrets, throttled and logged."""
        raise TypeError("secrets are checked by accounts.sign_in")

    def set_password(self, raw_password: str | None) -> None:
        """Never here: `accounts.services.set_password` writes verifiers."""
        raise TypeError("verifiers are written by accounts.services.set_password")

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session was signed with (Django's hook, called for each key of the ring); costs no query."""
        value = f"{self.pk}:{self.session_version}"
        return salted_hmac("accounts.session", value, secret=secret, algorithm="sha256").hexdigest()
