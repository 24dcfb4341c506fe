"""Filters (18.2.1 of the manual): what an account wants done with mail that looks a certain way."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class Filter(models.Model):
    """One filter. Conditions and actions are lists of small objects; `mta.rules.terms` knows their form."""

    class Joined(models.TextChoices):
        """How several conditions count."""

        ALL = "all", _("All conditions hold")
        ANY = "any", _("One condition holds")

    account = models.ForeignKey(Account, models.CASCADE, related_name="filters", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=100)
    position = models.IntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("on"), default=True)
    joined = models.CharField(_("applies when"), max_length=3, choices=Joined.choices, default=Joined.ALL)
    conditions = models.JSONField(_("conditions"), default=list)
    actions = models.JSONField(_("actions"), default=list)
    stops = models.BooleanField(_("no further filters"), default=True)
    """A mail that this one applies to is not shown to those behind it."""

    class Meta:
        verbose_name = _("filter")
        verbose_name_plural = _("filters")
        ordering: ClassVar = ["account__address", "position", "pk"]
        indexes: ClassVar = [models.Index(fields=["account", "position", "id"], name="filter_order")]

    def __str__(self) -> str:
        return self.name


class FilterRun(models.Model):
    """Filters at work on mail that is there already; a row claimed in slices, so any process may die."""

    class State(models.TextChoices):
        WAITING = "waiting", _("At work")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Given up")

    account = models.ForeignKey(Account, models.CASCADE, related_name="filter_runs", verbose_name=_("account"))
    filters = models.JSONField(_("filters"), default=list)
    """Ids; those that are gone meanwhile are passed over."""
    folder_id = models.BigIntegerField(_("folder"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    below_id = models.BigIntegerField()
    """Entries with a smaller id are still to be looked at; newest first."""
    total = models.IntegerField(_("mails"), default=0)
    seen = models.IntegerField(_("looked at"), default=0)
    matched = models.IntegerField(_("matched"), default=0)
    claimed_until_us = models.BigIntegerField(default=0)
    """While a worker has it; after a failure, when it is tried again."""
    tries = models.IntegerField(_("failures"), default=0)
    """Of the slice it has come to, one after the other."""
    error = models.CharField(max_length=16, blank=True)
    """The kind of the last failure (`core.errors.ErrorKind`); `unknown` for one that nobody foresaw."""
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("run of filters")
        verbose_name_plural = _("runs of filters")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=models.Q(state="waiting"), name="filter_run_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.created_at:%Y-%m-%d %H:%M}"
