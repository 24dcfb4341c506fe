"""What a domain wants done with mail, as far as this layer obeys it."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain


class MailPolicy(models.Model):
    """One row for each domain, made with it."""

    class Dmarc(models.TextChoices):
        """What happens to mail that fails DMARC when its author's domain asks for a consequence."""

        OBEY = "obey", _("As the sender's domain asks: refuse it, or put it into Junk")
        JUNK = "junk", _("Never refuse it, put it into Junk")
        IGNORE = "ignore", _("Nothing, only show it")

    class Wish(models.TextChoices):
        """What happens to mail with attachments of some kind."""

        QUARANTINE = "quarantine", _("Quarantine")
        JUNK = "junk", _("Junk")
        IGNORE = "ignore", _("Nothing")

    class Unscanned(models.TextChoices):
        """What happens to mail while the virus scanner does not answer."""

        DEFER = "defer", _("Ask the sender to come again later")
        ACCEPT = "accept", _("Take it unscanned")

    domain = models.OneToOneField(
        Domain, models.CASCADE, primary_key=True, related_name="mail_policy", verbose_name=_("domain")
    )
    dmarc = models.CharField(_("mail that fails DMARC"), max_length=8, choices=Dmarc.choices, default=Dmarc.OBEY)
    forwards_outside = models.BooleanField(_("mail may be forwarded to addresses outside"), default=True)
    max_filters = models.PositiveIntegerField(_("filters for each account"), default=100)
    junk_score = models.DecimalField(
        _("score from which mail goes to Junk"), max_digits=4, decimal_places=1, default=Decimal(5)
    )
    quarantine_score = models.DecimalField(
        _("score from which mail goes to quarantine"),
        max_digits=4,
        decimal_places=1,
        default=Decimal(10),
        help_text=_("For people who get the daily digest; for others such mail goes to Junk."),
    )
    dangerous_files = models.CharField(
        _("programs as attachments"), max_length=10, choices=Wish.choices, default=Wish.QUARANTINE
    )
    macros = models.CharField(_("documents with macros"), max_length=10, choices=Wish.choices, default=Wish.JUNK)
    unscanned = models.CharField(
        _("when the virus scanner does not answer"), max_length=8, choices=Unscanned.choices, default=Unscanned.DEFER
    )
    digest = models.BooleanField(
        _("daily digest of quarantined mail"),
        default=False,
        help_text=_("For accounts that have not chosen for themselves."),
    )

    admin_recall = models.BooleanField(
        _("administrators may recall mail that was read"),
        default=False,
        help_text=_("Each recall is recorded among the administrative acts."),
    )
    recall_notice = models.BooleanField(
        _("tell recipients of recalled mail"),
        default=False,
        help_text=_("A notice takes the place of the mail."),
    )

    class Meta:
        verbose_name = _("mail policy")
        verbose_name_plural = _("mail policies")
        ordering: ClassVar = ["domain__name"]

    def __str__(self) -> str:
        return self.domain.name


class DomainRecords(models.Model):
    """How a domain's DNS stood when it was looked at last, so that what gets worse is noticed."""

    domain = models.OneToOneField(Domain, models.CASCADE, primary_key=True, related_name="records")
    checked_on = models.DateField(null=True)
    right = models.JSONField(default=list)
    """Records that were as they should be."""
