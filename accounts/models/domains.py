"""Domains, their other names and their departments. Names are stored lower-cased, as A-labels (RFC 5890)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


class Domain(models.Model):
    """A company's mail domain, with its policy and its look."""

    name = models.CharField(_("domain"), max_length=255, unique=True)
    title = models.CharField(_("company name"), max_length=120, blank=True)
    brand_colour = models.CharField(_("brand colour"), max_length=7, blank=True, help_text=_("For example #2f55d4"))
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="zh-hans")
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Shanghai")
    is_active = models.BooleanField(_("active"), default=True)
    catch_all = models.ForeignKey(
        "accounts.Account",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("catch-all mailbox"),
    )
    default_quota_bytes = models.BigIntegerField(_("mailbox space (bytes)"), default=10 * GIBIBYTE)
    message_max_bytes = models.BigIntegerField(_("largest message (bytes)"), default=50 * MEBIBYTE)
    max_recipients = models.PositiveIntegerField(_("recipients per message"), default=500)
    max_aliases = models.PositiveIntegerField(_("aliases per account"), default=5)
    max_folders = models.PositiveIntegerField(_("folders per mailbox"), default=300)
    max_folder_depth = models.PositiveIntegerField(_("folder levels"), default=6)
    max_labels = models.PositiveIntegerField(_("labels per mailbox"), default=20)
    recovery_days = models.PositiveIntegerField(_("days deleted mail can be recovered"), default=14)
    empty_trash_days = models.PositiveIntegerField(
        _("days until mail in Trash goes by itself"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Empty: never. What goes can be recovered like any deleted mail."),
    )
    empty_junk_days = models.PositiveIntegerField(
        _("days until mail in Junk goes by itself"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Empty: never. What goes can be recovered like any deleted mail."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class DomainAlias(models.Model):
    """Another domain whose every address means the same local part of `domain`."""

    name = models.CharField(_("domain"), max_length=255, unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="aliases", verbose_name=_("stands for"))

    class Meta:
        verbose_name = _("domain alias")
        verbose_name_plural = _("domain aliases")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """A node of the company's tree."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="departments", verbose_name=_("domain"))
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent department")
    )
    name = models.CharField(_("name"), max_length=80)
    position = models.IntegerField(_("sort order"), default=0)
    is_hidden = models.BooleanField(_("hidden in the directory"), default=False)

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering: ClassVar = ["position", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["domain", "parent", "name"], name="department_name"),
            models.UniqueConstraint(
                fields=["domain", "name"], condition=models.Q(parent=None), name="department_name_top"
            ),
        ]

    def __str__(self) -> str:
        return self.name
