"""What was seen of other domains' mail, to be told them; and what others saw of ours."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain
from mta.models.daily import DailyCount


class DmarcObservation(DailyCount):
    """Mails of one day that looked the same to a domain with a DMARC record; `facts` are a
    `mta.dmarc_reports.observed.Observation`."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "domain", "digest"], name="dmarc_observation_once")
        ]


class DmarcReport(models.Model):
    """An aggregate report that somebody sent about a domain of ours."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dmarc_reports", verbose_name=_("domain"))
    organisation = models.CharField(_("reported by"), max_length=255)
    report_id = models.CharField(_("report"), max_length=255)
    begins_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    passed = models.BigIntegerField(_("mails that passed"), default=0)
    failed = models.BigIntegerField(_("mails that failed"), default=0)
    rows = models.JSONField(_("details"), default=list)
    """One object for each source: address, count, disposition, dkim, spf, header_from."""
    received_at = models.DateTimeField(_("received at"), auto_now_add=True)

    class Meta:
        verbose_name = _("DMARC report")
        verbose_name_plural = _("DMARC reports")
        ordering: ClassVar = ["-ends_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["domain", "organisation", "report_id"], name="dmarc_report_once")
        ]

    def __str__(self) -> str:
        return self.report_id
