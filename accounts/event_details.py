"""What an event holds beside its columns, line by line in the words of the forms: names of fields and of choices are
those of the models, of whatever app, so that the record of a change reads like the page on which it was made."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.db.models import Field
from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy as _, pgettext

from logs_app.models import Event

ITEMS_SHOWN = 20
"""Of a list; the record itself holds fifty."""
WORDS = {
    "alias": _("alias"),
    "program": _("program"),
    "member": _("member"),
    "monitors": _("watched by"),
    "targets": _("watched"),
    "target": _("forwarded to"),
    "forwarded": _("forwarded to"),
    "to": _("recipient"),
    "from": _("sender"),
    "recipients": _("recipients"),
    "subject": _("subject"),
    "rule": _("rule"),
    "size": _("size"),
    "put_aside": _("put into"),
    "filters": _("filters that took hold"),
    "folder_gone": _("the filter's folder was gone"),
    "queue_id": _("queue number"),
    "submission": _("number of the sent mail"),
    "remote_host": _("recipient's server"),
    "message": _("number of the mail"),
    "mails": _("mails"),
    "count": _("number of mails"),
    "label": _("name of the code"),
    "selectors": _("selectors"),
    "decision": _("decision"),
    "suppressed": _("suppressed address"),
    "state": _("state"),
    "changes": _("changes"),
}
"""What `data` names that is no field of a form."""
PLACES = {
    "junk": _("Junk"),
    "spam": _("Quarantine: spam"),
    "virus": _("Quarantine: virus"),
    "file": _("Quarantine: dangerous attachment"),
    "blocked": _("Quarantine: blocked sender"),
    "rejected": _("Quarantine: rejected by a filter"),
    "released": _("Released from quarantine"),
}
"""What `put_aside` means."""


def details(event: Event) -> list[tuple[str, str]]:
    """Names and values, in the reader's language; without the action, which `event_words.told` says."""
    lines: list[tuple[str, str]] = []
    for name, value in event.data.items():
        if name == "action" or value in ("", None, [], {}):
            continue
        if name == "changes" and isinstance(value, Mapping):
            lines += [(_label(field), _change(field, change)) for field, change in value.items()]
        else:
            lines.append((_label(name), shown(name, value)))
    return lines


def shown(name: str, value: Any) -> str:
    """One value of `data`."""
    if isinstance(value, Mapping):
        return _together(f"{_label(key)}: {shown(key, each)}" for key, each in value.items() if each != "")
    if isinstance(value, list):
        return _list(name, value)
    if isinstance(value, bool) or value in ("True", "False"):
        return pgettext("fact", "Yes") if value in (True, "True") else pgettext("fact", "No")
    if name == "put_aside":
        return str(PLACES.get(str(value), value))
    if (name == "size" or name.endswith("_bytes")) and str(value).isdecimal():
        return filesizeformat(int(value))
    return choice(name, str(value)) or str(value) or "—"


def choice(name: str, value: str) -> str:
    """The label of a choice of a field that is called `name`; empty where there is none."""
    wanted = value.removeprefix("list_") if name == "state" else value
    for field in _fields(name if name != "decision" else "state"):
        for key, label in field.flatchoices:
            if str(key) == wanted:
                return str(label)
    return ""


def _change(name: str, value: Any) -> str:
    """From what to what; the record of some acts has the new value alone."""
    if isinstance(value, list) and len(value) == 2:
        return f"{shown(name, value[0])} → {shown(name, value[1])}"
    return shown(name, value)


def _list(name: str, values: list[Any]) -> str:
    if name == "mails":
        lines = (_mail(each) for each in values[:ITEMS_SHOWN] if isinstance(each, Mapping))
        return "\n".join(lines) + (" …" if len(values) > ITEMS_SHOWN else "")
    return _together(shown(name, each) for each in values[:ITEMS_SHOWN]) + (" …" if len(values) > ITEMS_SHOWN else "")


def _mail(mail: Mapping[str, Any]) -> str:
    subject = str(mail.get("subject") or gettext("(no subject)"))
    return f"{subject} ({mail['from']})" if mail.get("from") else subject


def _together(parts: Iterable[str]) -> str:
    return gettext(", ").join(parts)


def _label(name: str) -> str:
    known = WORDS.get(name) or next((field.verbose_name for field in _fields(name)), name.replace("_", " "))
    return capfirst(str(known))


@functools.cache
def _fields(name: str) -> tuple[Any, ...]:
    """Fields of our models that are called so and have words of their own."""
    found = []
    for model in apps.get_models():
        for field in model._meta.local_fields + model._meta.local_many_to_many:
            if isinstance(field, Field) and field.name == name and isinstance(field.verbose_name, Promise):
                found.append(field)
    return tuple(found)
