"""The administration's site: signing in and out happen on our own pages, and its menu follows the role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from accounts.admin_base import actor_of
from accounts.admin_overview import overview
from accounts.forms import OwnPasswordForm


class OwnPasswordView(PasswordChangeView):
    """Django's page around our form."""

    form_class = OwnPasswordForm  # type: ignore[assignment]

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form counts attempts by where they come from."""
        return super().get_form_kwargs() | {"remote_address": str(self.request.META.get("REMOTE_ADDR", ""))}


class Site(UnfoldAdminSite):
    """Unfold's site without its own sign-in page."""

    index_title = _("Administration")

    index_template = "admin/overview.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Figures and the latest events of what the reader administers."""
        return super().index(request, overview(actor_of(request)) | (extra_context or {}))

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A stranger goes to our sign-in page; whoever is signed in without the right is told so."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), reverse("sign_in"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """POST only (Django's admin form sends it with a CSRF token)."""
        if request.method != "POST":
            return redirect("admin:index")
        logout(request)
        return redirect("sign_in")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """One's own password; the old one is checked, throttled and recorded."""
        context = {**self.each_context(request), **(extra_context or {})}
        view = OwnPasswordView.as_view(
            success_url=reverse("admin:password_change_done"),
            extra_context=context,
            template_name="registration/password_change_form.html",
        )
        return view(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Unfold's menu search is not used; its view trusts its arguments."""
        raise Http404


class Section(models.TextChoices):
    """What the menu's pages are about, in the order of the menu."""

    COMPANY = "company", _("Organisation")
    RULES = "rules", _("Mail rules")
    REVIEW = "review", _("Approval and monitoring")
    SENDING = "sending", _("Outgoing mail")
    SAFETY = "safety", _("Spam and safety")
    PROGRAMS = "programs", _("Mail programs")
    RECORD = "record", _("Logs")


PAGES = [
    (Section.COMPANY, "accounts_domain", _("Domains"), "domain"),
    (Section.COMPANY, "accounts_domainalias", _("Domain aliases"), "alternate_email"),
    (Section.COMPANY, "accounts_department", _("Departments"), "account_tree"),
    (Section.COMPANY, "accounts_account", _("Accounts"), "group"),
    (Section.COMPANY, "accounts_address", _("Aliases"), "badge"),
    (Section.COMPANY, "accounts_group", _("Groups"), "groups"),
    (Section.COMPANY, "accounts_mailboxgrant", _("Mailbox grants"), "key"),
    (Section.PROGRAMS, "accounts_credential", _("Client codes"), "pin"),
    (Section.PROGRAMS, "accounts_programrule", _("Mail programs"), "devices"),
    (Section.COMPANY, "accounts_accountrights", _("Rights of accounts"), "admin_panel_settings"),
]
"""Lists in the menu: section, page, title, icon. Upper apps add theirs when their administration is loaded."""


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu at the left: the overview, then section by section."""
    pages = [*PAGES, (Section.RECORD, "logs_app_event", _("Events"), "history")]
    overview_page = {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"title": None, "items": [overview_page]}]
    for section in Section:
        items = [
            {"title": title, "icon": icon, "link": reverse(f"admin:{page}_changelist")}
            for own, page, title, icon in pages
            if own == section
        ]
        groups.append({"title": section.label, "items": items})
    return groups


def icon(_request: HttpRequest) -> str:
    """The address of the product's mark, for the browser's tab."""
    return static("img/mark.svg")


def stylesheet(_request: HttpRequest) -> str:
    """The address of our own rules for the administration's pages."""
    return static("css/admin.css")


def labels_script(_request: HttpRequest) -> str:
    """The address of the script that writes the names beside values on phones as heads of columns are written."""
    return static("js/admin_labels.js")
