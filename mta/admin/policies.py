"""Administration of how mail travels, in the scope that `accounts.admin_base` gives every page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from accounts.admin_base import DOMAIN_OF, ScopedAdmin, actor_of, domain_for
from accounts.admin_facts import FactsAdmin
from accounts.admin_site import PAGES, Section
from accounts.models import Domain
from core.errors import ErrorKind, MailError
from mta.admin.dns import host_table, tables
from mta.models import DkimKey, DmarcReport, ListedSender, MailPolicy
from mta.services.dkim_keys import activate_keys, rotate_keys
from mta.services.policy import update_mail_policy
from mta.services.senders import list_sender, unlist_sender

DOMAIN_OF.update({MailPolicy: "domain", DkimKey: "domain", DmarcReport: "domain", ListedSender: "domain"})
PAGES += [
    (Section.SAFETY, "mta_mailpolicy", _("Mail policies and DNS"), "policy"),
    (Section.SAFETY, "mta_dkimkey", _("DKIM keys"), "signature"),
    (Section.SAFETY, "mta_dmarcreport", _("DMARC reports"), "summarize"),
    (Section.SAFETY, "mta_listedsender", _("Blacklist and whitelist"), "block"),
]

SOURCES_MAX = 500


class NamedByDomain(ScopedAdmin):
    """Rows whose name is their domain's."""

    list_select_related = ("domain",)

    @admin.display(description=_("domain"), ordering="domain__name")
    def name(self, row: Any) -> str:
        """Whose it is."""
        return str(row.domain.name)


@admin.register(MailPolicy)
class MailPolicyAdmin(NamedByDomain):
    """One for each domain: looked at and changed; from here to its DNS records and new keys."""

    list_display = ("name", "dmarc", "junk_score", "quarantine_score", "digest")
    search_fields = ("domain__name",)
    export_columns = (
        "domain",
        "dmarc",
        "junk_score",
        "quarantine_score",
        "dangerous_files",
        "macros",
        "unscanned",
        "digest",
        "recall_notice",
        "admin_recall",
    )
    actions_detail = ("dns", "rotate", "activate")

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Through the service."""
        update_mail_policy(obj.domain, actor=actor_of(request), **changes)

    @action(description=_("DNS records"), url_path="dns", icon="dns")
    def dns(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the DNS should say and what it says, looked up now."""
        domain = self._domain(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("DNS records of %(domain)s") % {"domain": domain.name},
            "opts": self.opts,
            "names": tables(domain),
            "server": host_table(),
        }
        return TemplateResponse(request, "admin/dns.html", context)

    @action(description=_("Make new DKIM keys"), url_path="rotate", icon="autorenew")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """They wait until their records are found."""
        domain = self._domain(request, object_id)
        if request.method != "POST":
            return self._ask(request, domain, _("Make new DKIM keys"))
        try:
            rotate_keys(domain, actor=actor_of(request))
        except MailError as error:
            if error.kind is not ErrorKind.IN_USE:
                raise
            self.message_user(request, _("New keys are waiting for their DNS records already."), messages.WARNING)
        else:
            self.message_user(request, _("New keys are made. They sign as soon as their DNS records are found."))
        return redirect("admin:mta_mailpolicy_dns", object_id)

    @action(description=_("Use new DKIM keys now"), url_path="activate", icon="signature")
    def activate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Without waiting for the hourly look into the DNS."""
        domain = self._domain(request, object_id)
        if request.method != "POST":
            return self._ask(request, domain, _("Use new DKIM keys now"))
        if activate_keys(domain, actor=actor_of(request)):
            self.message_user(request, _("The new keys sign from now on."))
        else:
            self.message_user(request, _("No new keys are waiting."), messages.WARNING)
        return redirect("admin:mta_mailpolicy_dns", object_id)

    def _domain(self, request: HttpRequest, object_id: str) -> Domain:
        policy = self.get_object(request, unquote(object_id))
        if policy is None:
            raise Http404
        if not self.has_change_permission(request, policy):
            raise PermissionDenied
        domain: Domain = policy.domain
        return domain

    def _ask(self, request: HttpRequest, domain: Domain, title: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": title, "subtitle": domain.name, "opts": self.opts}
        return TemplateResponse(request, "admin/ask.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """It is made by a service."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It goes by itself."""
        return False


@admin.register(DkimKey)
class DkimKeyAdmin(NamedByDomain, FactsAdmin):
    """Changed by rotation alone; the private half is never shown."""

    list_display = ("selector", "name", "kind", "state", "created_at")
    list_filter = ("state", "kind")
    search_fields = ("domain__name", "selector")
    fields = ("selector", "kind", "state", "public_record", "created_at", "retired_at")
    export_columns = ("domain", "selector", "kind", "state", "public_record", "created_at", "retired_at")


@admin.register(DmarcReport)
class DmarcReportAdmin(NamedByDomain, FactsAdmin):
    """What others saw of mail in our name."""

    list_display = ("name", "organisation", "begins_at", "ends_at", "passed", "failed")
    list_filter = ("organisation",)
    search_fields = ("domain__name", "organisation")
    date_hierarchy = "ends_at"
    fields = ("organisation", "report_id", "begins_at", "ends_at", "passed", "failed", "sources")
    export_columns = ("domain", "organisation", "report_id", "begins_at", "ends_at", "passed", "failed")

    @admin.display(description=_("details"))
    def sources(self, report: DmarcReport) -> str:
        """One line for each address that sent."""
        columns = ("address", "count", "header_from", "spf", "dkim", "disposition")
        lines = ([str(row.get(name, "")) for name in columns] for row in report.rows[:SOURCES_MAX])
        return format_html_join("", "<div>{}</div>", ((" · ".join(line),) for line in lines))


@admin.register(ListedSender)
class ListedSenderAdmin(ScopedAdmin):
    """The lists of a company and of its accounts."""

    list_display = ("pattern", "wish", "domain", "account", "created_at")
    list_filter = ("wish",)
    list_select_related = ("domain", "account")
    search_fields = ("pattern", "account__address", "domain__name")
    autocomplete_fields = ("domain", "account")
    fields = ("domain", "account", "pattern", "wish")
    export_columns = ("pattern", "wish", "domain", "account", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Whose entry it is, and about whom, stays."""
        return ("domain", "account", "pattern") if obj else ()

    def recorded_as(self, obj: Any) -> str:
        """The address or domain that its record is about."""
        return str(obj.account.address if obj.account else obj.domain.name)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> Any:
        """For the account's domain, whatever else was chosen."""
        domain = obj.account.domain if obj.account else domain_for(request, obj)
        return list_sender(domain, obj.pattern, obj.wish, account=obj.account, actor=actor_of(request))

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """To the other list."""
        list_sender(
            obj.domain, obj.pattern, changes.get("wish", obj.wish), account=obj.account, actor=actor_of(request)
        )

    def destroy(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        unlist_sender(obj, actor=actor_of(request))
