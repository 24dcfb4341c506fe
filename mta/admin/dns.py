"""The page of a domain's DNS records: what is wanted, how it stands, what was found, each value to copy."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from accounts.models import Domain
from mta.records.check import Checked, State, check_domain, check_host

STATES = {
    State.CORRECT: (gettext_lazy("Correct"), "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400"),
    State.MISSING: (
        gettext_lazy("Missing"),
        "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400",
    ),
    State.WRONG: (gettext_lazy("Wrong"), "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400"),
    State.UNKNOWN: (gettext_lazy("No answer"), "bg-base-100 text-base-700 dark:bg-base-500/20 dark:text-base-200"),
}
PURPOSES = {
    "mx": gettext_lazy("Receives the domain's mail"),
    "spf": gettext_lazy("Says which servers send for the domain"),
    "dkim": gettext_lazy("Lets others check our signature"),
    "dmarc": gettext_lazy("Says what to do with forged mail"),
    "tls_reports": gettext_lazy("Lets others tell us when encryption towards us fails"),
    "mta_sts": gettext_lazy("Says that mail to us must be encrypted"),
    "reverse": gettext_lazy("Name of the server's address"),
    "host": gettext_lazy("Name of a service"),
    "service": gettext_lazy("Lets mail programs set themselves up"),
}
LABEL = "inline-block rounded-default px-2 py-0.5 text-xs font-semibold whitespace-nowrap"
BUTTON = "ml-2 cursor-pointer text-primary-600 dark:text-primary-500 whitespace-nowrap"


def tables(domain: Domain) -> list[dict[str, Any]]:
    """One table for the domain and one for each of its other names; takes as long as the slowest name server."""
    names = [domain.name, *domain.aliases.values_list("name", flat=True)]
    return [{"name": name, "table": _table(check_domain(domain, name))} for name in names]


def host_table() -> dict[str, Any]:
    """The reverse names of this server, which sends for every domain; `table` is None when it has no public address."""
    checked = check_host()
    return {"name": settings.EHLO_NAME, "table": _table(checked) if checked else None}


def _table(checked: list[Checked]) -> dict[str, Any]:
    headers = [_("Purpose"), _("Host"), _("Type"), _("Value"), _("Priority"), _("TTL"), _("State"), _("Found")]
    return {"headers": headers, "rows": [_row(each) for each in checked]}


def _row(each: Checked) -> list[object]:
    wanted = each.wanted
    optional = (
        ""
        if wanted.is_required
        else format_html(' <span class="opacity-60 whitespace-nowrap">({})</span>', _("recommended"))
    )
    return [
        format_html("{}{}", PURPOSES[wanted.purpose], optional),
        _copied(wanted.host),
        wanted.kind,
        _copied(wanted.value),
        "" if wanted.priority is None else format_html("<span>{}</span>", wanted.priority),
        _("1 hour"),
        _state(each.state),
        format_html_join("", '<div class="found">{}</div>', ((text,) for text in each.found)),
    ]


def _copied(value: str) -> SafeString:
    return format_html(
        '<code>{}</code><button type="button" class="{}" data-copy="{}" data-done="{}" hidden>{}</button>',
        value,
        BUTTON,
        value,
        _("Copied"),
        _("Copy"),
    )


def _state(state: State) -> SafeString:
    words, colours = STATES[state]
    return format_html('<span class="{} {}" data-state="{}">{}</span>', LABEL, colours, state.value, words)
