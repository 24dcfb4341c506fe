"""The form of a filter: conditions and actions as lines of choices; folders and labels by their names.

It works without a script: there are always a few empty lines, and saving brings more. What a line means and whether it may
be so is the service's to say (`mta.rules.terms`); here words become its values and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.admin_base import ServiceForm
from accounts.models import Account
from core.access import system_access
from mailstore.models import Role
from mailstore.portable.names import role_of
from mailstore.selectors.folders import folder_tree
from mailstore.selectors.keywords import keywords
from mta.models import Filter, FilterRun, ForwardTarget
from mta.rules.terms import ACTIONS_MAX, CONDITIONS_MAX, VALUE_MAX_CHARS, Do
from mta.rules.words import DOES, HOWS, WHATS
from mta.services.filters import NO_TARGETS

EMPTY_LINES = 2
NOBODY = ("", "—")
Line = dict[str, Any]


def _choice(words: Mapping[Any, Any]) -> UnfoldAdminSelectWidget:
    return UnfoldAdminSelectWidget(choices=[NOBODY, *((str(key), word) for key, word in words.items())])


def _text(limit: int) -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs={"maxlength": limit, "autocomplete": "off"})


class LinesWidget(forms.Widget):
    """So many lines as there are and EMPTY_LINES more; each has a control for every name of `columns`."""

    columns: ClassVar[Mapping[str, Any]]
    """Name in the line to its label for screen readers."""
    lines_max = 0

    def __init__(self) -> None:
        super().__init__()
        self.known: Sequence[str] = ()
        """Offered while somebody types a target."""

    def controls(self) -> Mapping[str, forms.Widget]:
        """One line's, made anew: words in the reader's language."""
        raise NotImplementedError

    def id_for_label(self, id_: str) -> str:
        """A label belongs to one control."""
        return ""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[Line]:
        """The lines that somebody has filled in."""
        found = []
        for number in range(self.lines_max):
            line = {column: str(data.get(f"{name}-{number}-{column}", "")).strip() for column in self.columns}
            if any(line.values()):
                found.append(line)
        return found

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Lines that are all empty are an answer."""
        return not any(key.startswith(f"{name}-") for key in data)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Everything at once; no template could be shorter."""
        lines = list(value or [])
        count = min(self.lines_max, len(lines) + EMPTY_LINES)
        lines += [{}] * (count - len(lines))
        rows = ((self._row(f"{name}-{number}", number, line, renderer),) for number, line in enumerate(lines))
        known = format_html_join("", '<option value="{}"></option>', ((each,) for each in self.known))
        return format_html(
            '<div class="lines max-w-4xl">{}</div><datalist id="{}-known">{}</datalist>',
            format_html_join("", "{}", rows),
            name,
            known,
        )

    def _row(self, prefix: str, number: int, line: Line, renderer: Any) -> SafeString:
        cells = []
        for column, control in self.controls().items():
            label = gettext("Line %(line)d: %(what)s") % {"line": number + 1, "what": self.columns[column]}
            more = {"id": f"id_{prefix}-{column}", "aria-label": label}
            if column == "target":
                more["list"] = f"{prefix.rpartition('-')[0]}-known"
            value = str(line.get(column, "") or "")
            cells.append((column, SafeString(control.render(f"{prefix}-{column}", value, more, renderer))))
        return format_html(
            '<div class="line" role="group">{}</div>', format_html_join("", '<div class="line-{}">{}</div>', cells)
        )


class ConditionsWidget(LinesWidget):
    """Whether or not, what, which header field, how, value."""

    columns: ClassVar = {
        "not": _("whether or not"),
        "what": _("what is looked at"),
        "header": _("name of the header field"),
        "how": _("how it is compared"),
        "value": _("with what"),
    }
    lines_max = CONDITIONS_MAX

    def controls(self) -> Mapping[str, forms.Widget]:
        """In the order in which they are read."""
        header, value = _text(70), _text(VALUE_MAX_CHARS)
        header.attrs["placeholder"] = gettext("field, such as List-Id")
        value.attrs["placeholder"] = gettext("value")
        nots = UnfoldAdminSelectWidget(choices=[("", gettext("if")), ("1", gettext("unless"))])
        return {"not": nots, "what": _choice(WHATS), "header": header, "how": _choice(HOWS), "value": value}


class ActionsWidget(LinesWidget):
    """What, and where it needs one: to which folder, label or address."""

    columns: ClassVar = {"do": _("what is done"), "target": _("folder, label or address")}
    lines_max = ACTIONS_MAX

    def controls(self) -> Mapping[str, forms.Widget]:
        """In the order in which they are read."""
        target = _text(320)
        target.attrs["placeholder"] = str(self.columns["target"])
        return {"do": _choice(DOES), "target": target}


class LinesField(forms.Field):
    """Lines as they were filled in; whether they mean something the service says."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as the form shows them."""
        return _shown(initial) != _shown(data)


def _shown(lines: Any) -> list[Line]:
    """Each line without what is empty or does not hold."""
    if not isinstance(lines, list):
        return []
    return [{key: str(value) for key, value in line.items() if value not in ("", False, None)} for line in lines]


class FilterForm(ServiceForm):
    """A filter of one account; whose it is decides which folders and labels its lines may name."""

    conditions = LinesField(
        label=_("conditions"), widget=ConditionsWidget, required=False, help_text=_("Save to get more empty lines.")
    )
    actions = LinesField(
        label=_("actions"),
        widget=ActionsWidget,
        required=False,
        help_text=_("A folder inside another: Customers/Offers. Save to get more empty lines."),
    )

    class Meta:
        model = Filter
        fields = ("account", "name", "position", "is_active", "joined", "conditions", "actions", "stops")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "actions" in self.fields:
            names = Names(self.instance.account)
            self.initial["actions"] = [names.shown(line) for line in _lines(self.instance.actions)]
            self.initial["conditions"] = [_condition_shown(line) for line in _lines(self.instance.conditions)]
            widget = self.fields["actions"].widget
            widget.known = names.all()

    def clean_conditions(self) -> list[Line]:
        """As rows hold them."""
        return [_condition(line) for line in self.cleaned_data["conditions"]]

    def clean(self) -> dict[str, Any] | None:
        """Names become ids, for whose filter it is: of a new one that is known when all fields are read."""
        account = self.instance.account if self.instance.pk else self.cleaned_data.get("account")
        if isinstance(account, Account) and "actions" in self.cleaned_data:
            names = Names(account)
            kept = self._kept(names)
            self.cleaned_data["actions"] = [kept(line) or names.read(line) for line in self.cleaned_data["actions"]]
        return super().clean()

    def _kept(self, names: Names) -> Callable[[Line], Line | None]:
        """Lines that nobody touched mean what they meant: two folders may look the same to who reads another language."""
        rows = _lines(self.instance.actions) if self.instance.pk else []
        stored = [(names.shown(row), row) for row in rows if row.get("target", "") != ""]

        def kept(line: Line) -> Line | None:
            found = next((each for each in stored if each[0] == line and line["target"]), None)
            if found is not None:
                stored.remove(found)
            return found[1] if found else None

        return kept


class FilterRunForm(ServiceForm):
    """Filters at work on one folder, all by name."""

    folder = forms.CharField(
        label=_("folder"),
        max_length=320,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("A folder inside another: Customers/Offers."),
    )
    filters = forms.CharField(
        label=pgettext_lazy("of mail", "Filters"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("Names, one on each line. Empty: all that are on."),
    )

    class Meta:
        model = FilterRun
        fields = ("account", "filters")

    def clean(self) -> dict[str, Any] | None:
        """Names become ids of the account's own."""
        account, given = self.cleaned_data.get("account"), self.cleaned_data
        if isinstance(account, Account) and given.get("folder"):
            self.instance.folder_id = Names(account).read({"do": Do.MOVE, "target": given["folder"]})["target"] or 0
            if not self.instance.folder_id:
                self.add_error("folder", gettext("There is no such folder."))
        if isinstance(account, Account) and "filters" in given:
            known = {_same(name): pk for pk, name in Filter.objects.filter(account=account).values_list("pk", "name")}
            wanted = [line.strip() for line in given["filters"].splitlines() if line.strip()]
            given["filters"] = [known[_same(each)] for each in wanted if _same(each) in known]
            if gone := [each for each in wanted if _same(each) not in known]:
                self.add_error("filters", gettext("There is no filter “%(name)s”.") % {"name": gone[0]})
        return super().clean()


class Names:
    """The folders, labels and forwarding addresses of an account by name."""

    def __init__(self, account: Account) -> None:
        access = system_access(account.pk)
        self._roles: dict[Role, int] = {}
        self._folders: dict[int, str] = {}
        self._offered: list[int] = []
        path: list[str] = []
        for row in folder_tree(access):
            path[row.depth :] = [str(Role(row.role).label) if row.role else row.name]
            self._folders[row.id] = "/".join(path)
            if not row.is_read_only and row.role not in NO_TARGETS:
                self._offered.append(row.id)
            if row.role:
                self._roles.setdefault(Role(row.role), row.id)
        self._labels = {row.id: row.label for row in keywords(access) if row.label}
        self._addresses = list(ForwardTarget.objects.filter(account=account).values_list("address", flat=True))

    def all(self) -> list[str]:
        """What may be offered."""
        return [*(self._folders[each] for each in self._offered), *self._labels.values(), *self._addresses]

    def folder(self, folder_id: int) -> str:
        """One folder's; empty when it is gone."""
        return self._folders.get(folder_id, "")

    def shown(self, line: Line) -> Line:
        """A row's action with a name instead of a number; what is gone has none."""
        target = line.get("target", "")
        known = self._of(line.get("do"))
        if known is not None:
            number = str(target)
            target = known.get(int(number), "") if number.isascii() and number.isdigit() else ""
        return {"do": line.get("do", ""), "target": target}

    def read(self, line: Line) -> Line:
        """A line of the form as rows hold it; a name that nothing has is no target."""
        known, target = self._of(line["do"]), line["target"]
        if known is None:
            return {"do": line["do"], "target": target} if target else {"do": line["do"]}
        alike = [number for number, name in known.items() if _same(name) == _same(target)]
        # Of names that differ in case alone the one as it was typed, then the one that mail may be moved to.
        alike.sort(key=lambda number: (known[number] != target, number not in self._offered))
        found = alike[0] if alike else None
        role = role_of((target,)) if found is None and line["do"] == Do.MOVE else None
        return {"do": line["do"], "target": found or (self._roles.get(role, "") if role else "")}

    def _of(self, act: Any) -> Mapping[int, str] | None:
        return {Do.MOVE: self._folders, Do.LABEL: self._labels}.get(act)


def _same(name: str) -> str:
    return "/".join(part.strip() for part in name.split("/")).casefold()


def _lines(stored: Any) -> Iterable[Line]:
    """What can be read of a row that somebody wrote by hand."""
    return [line for line in stored if isinstance(line, dict)] if isinstance(stored, list) else []


def _condition_shown(line: Line) -> Line:
    return {
        **{name: line.get(name, "") for name in ("what", "header", "how", "value")},
        "not": "1" if line.get("not") else "",
    }


def _condition(line: Line) -> Line:
    made: Line = {"what": line["what"], "how": line["how"]}
    made |= {name: line[name] for name in ("value", "header") if line[name]}
    return made | ({"not": True} if line["not"] else {})
