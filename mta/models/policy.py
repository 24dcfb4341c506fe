"""What a domain wants done with mail, as far as this layer obeys it."""

from __future__ import annotations

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

    domain = models.OneToOneField(
        Domain, models.CASCADE, primary_key=True, related_name="mail_policy", verbose_name=_("domain")
    )
    dmarc = models.CharField(_("mail that fails DMARC"), max_length=8, choices=Dmarc.choices, default=Dmarc.OBEY)
    max_filters = models.PositiveIntegerField(_("filters for each account"), default=100)

    class Meta:
        verbose_name = _("mail policy")
        verbose_name_plural = _("mail policies")
        ordering: ClassVar = ["domain__name"]

    def __str__(self) -> str:
        return self.domain.name
