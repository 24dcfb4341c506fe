"""标签管理 (18.4.7 of the manual): labels made, renamed, recoloured, deleted; pages that work as plain forms."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore.selectors.keywords import keyword
from mailstore.services.keywords import MAX_LABELS, change_label, create_label, delete_keyword
from webmail.forms.labels import LabelForm
from webmail.http import mailbox_access
from webmail.labels import COLOURS, Label, label, labels_of, next_colour


@login_required
@require_safe
def label_list(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """All labels with what can be done to them."""
    access = mailbox_access(request, mailbox_id)
    context = {"found": labels_of(request, access), "limit": MAX_LABELS, "may": access.may(Right.FLAG)}
    return render(request, "webmail/labels.html", {**context, "mailbox": access.mailbox})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def label_new(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """A new label."""
    access = _writing(request, mailbox_id)
    suggested = next_colour(labels_of(request, access))
    colour = next(name for name, (hex_value, _word) in COLOURS.items() if hex_value == suggested)
    form = LabelForm(request.POST or None, initial={"colour": colour})
    if request.method == "POST" and form.is_valid():
        try:
            create_label(access, form.cleaned_data["name"], colour=COLOURS[form.cleaned_data["colour"]][0])
        except MailError as error:
            _explain(form, error)
        else:
            messages.success(request, _("Label “%s” created") % form.cleaned_data["name"])
            return redirect("labels", mailbox_id)
    return _page(request, form, {"title": _("New label"), "submit": _("Create"), "mailbox": mailbox_id})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def label_edit(request: HttpRequest, mailbox_id: int, label_id: int) -> HttpResponse:
    """Another name or another colour; mail programs keep the keyword they know."""
    access = _writing(request, mailbox_id)
    found = _found(access, label_id)
    form = LabelForm(request.POST or None, initial={"name": found.name, "colour": found.colour})
    if request.method == "POST" and form.is_valid():
        colour = COLOURS[form.cleaned_data["colour"]][0]
        try:
            change_label(access, label_id, name=form.cleaned_data["name"], colour=colour)
        except MailError as error:
            _explain(form, error)
        else:
            return redirect("labels", mailbox_id)
    context = {"title": _("Change label"), "submit": _("Save"), "mailbox": mailbox_id, "label": found}
    return _page(request, form, context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def label_delete(request: HttpRequest, mailbox_id: int, label_id: int) -> HttpResponse:
    """Delete a label and take it off every mail; asks first, because it can't be undone."""
    access = _writing(request, mailbox_id)
    found = _found(access, label_id)
    if request.method == "POST":
        delete_keyword(access, label_id)
        messages.success(request, _("Label “%s” deleted") % found.name)
        return redirect("labels", mailbox_id)
    return render(request, "webmail/label_delete.html", {"label": found, "mailbox": mailbox_id})


def _writing(request: HttpRequest, mailbox_id: int) -> Access:
    access = mailbox_access(request, mailbox_id)
    access.require(Right.FLAG)
    return access


def _found(access: Access, label_id: int) -> Label:
    row = keyword(access, label_id)
    if not row.label:
        raise MailError(ErrorKind.NOT_FOUND)
    return label(row)


def _page(request: HttpRequest, form: LabelForm, context: dict[str, Any]) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "webmail/label_form.html", {"form": form, **context}, status=status)


def _explain(form: LabelForm, error: MailError) -> None:
    """Say at the field what the service refused."""
    sentences = {
        ErrorKind.EXISTS: _("There is a label of this name already."),
        ErrorKind.INVALID: _("A name has 1 to 60 characters."),
        ErrorKind.LIMIT: _("There can be at most %s labels.") % error.data.get("limit"),
    }
    if error.kind not in sentences:
        raise error
    form.add_error("name", sentences[error.kind])
