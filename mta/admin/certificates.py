"""Certificates of a domain's hosts for its administrators: uploaded, looked at, replaced, taken away."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, ServiceForm, actor_of, domain_for
from accounts.admin_site import PAGES, Section
from core.errors import MailError
from mta.certificates.services import remove_certificate, set_certificate
from mta.models import HostCertificate

DOMAIN_OF.update({HostCertificate: "domain"})
PAGES += [(Section.SAFETY, "mta_hostcertificate", _("Certificates"), "verified_user")]

REASONS = {
    "unreadable": _("This is not PEM, or not of a kind that servers can use (RSA or elliptic curve)."),
    "encrypted": _("The key is protected by a password; take the password off first."),
    "weak": _("The key is too short; RSA needs 2048 bits at least."),
    "mismatch": _("The key does not belong to the certificate."),
    "expired": _("The certificate has expired."),
    "not_yet": _("The certificate is not valid yet."),
    "other_host": _("The certificate is for another host."),
    "wrong_order": _("Each certificate must be followed by the one that issued it, the host's own first."),
    "not_ours": _("This is no host of the domain."),
}


class CertificateForm(ServiceForm):
    """PEM goes in; the key never comes out."""

    private_key = forms.CharField(
        label=_("private key"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("PEM, without a password. It is kept encrypted and never shown."),
    )

    def clean(self) -> dict[str, Any] | None:
        """What the service found wrong, in words."""
        error = getattr(self.request, "mail_error", None)
        if isinstance(error, MailError) and error.data.get("reason") in REASONS:
            self.request.mail_error = None  # type: ignore[attr-defined]
            cleaned = super().clean()
            field = {"key": "private_key"}.get(str(error.data["field"]), str(error.data["field"]))
            self.add_error(field if field in self.fields else None, str(REASONS[str(error.data["reason"])]))
            return cleaned
        return super().clean()


@admin.register(HostCertificate)
class HostCertificateAdmin(ScopedAdmin):
    """One for each host."""

    form = CertificateForm
    list_display = ("host", "domain", "issuer", "expires_at", "left", "source")
    list_filter = ("source",)
    list_select_related = ("domain",)
    search_fields = ("host", "domain__name")
    autocomplete_fields = ("domain",)
    fields = ("domain", "host", "chain", "private_key")
    export_columns = ("host", "domain", "issuer", "begins_at", "expires_at", "source")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Another host is another certificate."""
        return ("host",) if obj else ()

    @admin.display(description=_("days left"), ordering="expires_at")
    def left(self, row: HostCertificate) -> int:
        """Whole days, never below zero."""
        return max((row.expires_at - timezone.now()) // datetime.timedelta(days=1), 0)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Any:
        """Through the service."""
        key = form.cleaned_data["private_key"]
        return set_certificate(domain_for(request, obj), obj.host, obj.chain, key, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service; chain and key come together."""
        set_certificate(obj.domain, obj.host, obj.chain, changes["private_key"], actor=actor_of(request))

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        remove_certificate(obj, actor=actor_of(request))
