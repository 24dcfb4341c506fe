"""What a company wants of all mail that its people send, and what is counted for it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain


class SendPolicy(models.Model):
    """One row for a domain that wants something of its own. 0 is no limit; the rates that hold without a row are wide for
    people and narrow for a program that has somebody's password."""

    class Footer(models.TextChoices):
        NONE = "none", _("No mail")
        EXTERNAL = "external", _("Mail to people outside")
        ALL = "all", _("All mail")

    domain = models.OneToOneField(
        Domain, models.CASCADE, primary_key=True, related_name="send_policy", verbose_name=_("domain")
    )
    footer_on = models.CharField(_("company footer on"), max_length=8, choices=Footer.choices, default=Footer.NONE)
    footer_text = models.TextField(_("footer, plain text"), blank=True, max_length=10_000)
    footer_html = models.TextField(
        _("footer, HTML"), blank=True, max_length=50_000, help_text=_("Empty: made of the plain text.")
    )
    journal_address = models.EmailField(
        _("journal"), blank=True, max_length=254, help_text=_("Gets a copy of every mail sent, with its envelope.")
    )
    journals_incoming = models.BooleanField(
        _("journal incoming mail too"),
        default=False,
        help_text=_("Mail from outside and from other domains here, Junk and quarantined mail included."),
    )
    banned_files = models.TextField(
        _("forbidden attachment types"), blank=True, max_length=2_000, help_text=_("Such as: exe, bat, zip.")
    )
    scan_viruses = models.BooleanField(
        _("look for viruses in mail that our people send"),
        default=True,
        help_text=_("By clamd, where the operator has set it up. A virus is refused, to colleagues too."),
    )
    hourly_recipients = models.PositiveIntegerField(_("recipients an hour, each account"), default=2_000)
    daily_recipients = models.PositiveIntegerField(_("recipients a day, each account"), default=10_000)
    daily_strangers = models.PositiveIntegerField(
        _("strangers a day, each account"),
        default=1_000,
        help_text=_("Strangers are people outside who have never written to the sender."),
    )
    pool_strangers = models.PositiveIntegerField(_("strangers a day, the whole domain"), default=10_000)
    stop_strangers = models.PositiveIntegerField(
        _("stop an account after so many strangers an hour"),
        default=500,
        help_text=_("It can't send any more, its waiting mail is held, and administrators are told."),
    )

    class Meta:
        verbose_name = _("sending policy")
        verbose_name_plural = _("sending policies")
        ordering: ClassVar = ["domain__name"]

    def __str__(self) -> str:
        return self.domain.name


class SendCount(models.Model):
    """How much an account has sent in one hour; a day's rows are added up when a limit asks."""

    account_id = models.BigIntegerField()
    domain_id = models.BigIntegerField()
    hour = models.IntegerField(db_index=True)
    """Hours since 1970."""
    recipients = models.IntegerField(default=0)
    strangers = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account_id", "hour"], name="send_count_once")]
        indexes: ClassVar = [models.Index(fields=["domain_id", "hour", "strangers"], name="send_count_domain")]


class SendStop(models.Model):
    """An account that may not send until an administrator lets it again: deleting the row does."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("account")
    )
    since = models.DateTimeField(_("since"), auto_now_add=True)
    strangers = models.PositiveIntegerField(_("strangers within the hour"), default=0)

    class Meta:
        verbose_name = _("stopped sender")
        verbose_name_plural = _("stopped senders")
        ordering: ClassVar = ["-since"]

    def __str__(self) -> str:
        return str(self.account)


class SuppressedAddress(models.Model):
    """An address elsewhere that does not exist: its server has said so. Mail to it is returned at once."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="suppressed_addresses", verbose_name=_("domain"))
    address = models.CharField(_("address"), max_length=320)
    code = models.CharField(_("code"), max_length=12, blank=True)
    text = models.CharField(_("the server's answer"), max_length=500, blank=True)
    bounces = models.PositiveIntegerField(_("returned mails"), default=1)
    since = models.DateTimeField(_("since"), auto_now_add=True)
    until = models.DateTimeField(_("until"), db_index=True)

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        ordering: ClassVar = ["-since"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["domain", "address"], name="suppressed_once")]

    def __str__(self) -> str:
        return self.address
