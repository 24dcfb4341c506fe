"""我的文件夹: made, renamed, deleted; pages of their own that also open as dialogs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore.selectors.folders import FolderRow, folder, folder_tree
from mailstore.services import folders
from webmail.forms.folders import FolderForm
from webmail.http import access_of, current_access, mailbox_access


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def folder_new(request: HttpRequest) -> HttpResponse:
    """A new folder, in `?mailbox=` or one's own."""
    mailbox = request.POST.get("mailbox") or request.GET.get("mailbox") or ""
    access = (
        mailbox_access(request, int(mailbox)) if mailbox.isascii() and mailbox.isdigit() else current_access(request)
    )
    access.require(Right.FOLDERS)
    form = FolderForm(request.POST or None, parents=_own(access), initial={"parent": request.GET.get("parent", "0")})
    context: dict[str, Any] = {"title": _("New folder"), "submit": _("Create"), "mailbox": access.mailbox}
    if request.method == "POST" and form.is_valid():
        try:
            made = folders.create_folder(access, form.cleaned_data["name"], parent_id=form.cleaned_data["parent"])
        except MailError as error:
            _explain(form, error)
        else:
            messages.success(request, _("Folder “%s” created") % form.cleaned_data["name"])
            return redirect("folder", made)
    return _page(request, form, context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def folder_edit(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Another name or another place."""
    access = access_of(request, folder_id)
    access.require(Right.FOLDERS)
    found = folder(access, folder_id)
    parents = [row for row in _own(access) if row.id != folder_id]
    initial = {"name": found.name, "parent": str(found.parent_id)}
    form = FolderForm(request.POST or None, parents=parents, initial=initial)
    context = {"title": _("Change folder"), "submit": _("Save"), "folder": found, "folder_id": str(folder_id)}
    if request.method == "POST" and form.is_valid():
        try:
            if form.cleaned_data["parent"] != found.parent_id:
                folders.move_folder(access, folder_id, parent_id=form.cleaned_data["parent"])
            folders.rename_folder(access, folder_id, form.cleaned_data["name"])
        except MailError as error:
            _explain(form, error)
        else:
            return redirect("folder", folder_id)
    return _page(request, form, context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def folder_delete(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Delete an empty folder; asks first, because it can't be undone."""
    access = access_of(request, folder_id)
    access.require(Right.FOLDERS)
    found = folder(access, folder_id)
    error = ""
    if request.method == "POST":
        try:
            folders.delete_folder(access, folder_id)
        except MailError as refused:
            if refused.kind is not ErrorKind.IN_USE:
                raise
            error = _("The folder still holds mails or folders. Move or delete them first.")
        else:
            messages.success(request, _("Folder “%s” deleted") % found.name)
            return redirect("mailbox", access.mailbox)
    context = {"folder": found, "folder_id": str(folder_id), "error": error}
    return render(request, "webmail/folder_delete.html", context, status=409 if error else 200)


def _own(access: Access) -> list[FolderRow]:
    return [row for row in folder_tree(access) if not row.role]


def _page(request: HttpRequest, form: FolderForm, context: dict[str, Any]) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "webmail/folder_form.html", {"form": form, **context}, status=status)


def _explain(form: FolderForm, error: MailError) -> None:
    """Say at the field what the service refused; let strangers' ids pass on as 404."""
    limit, depth = error.data.get("limit"), error.data.get("depth")
    sentences = {
        ErrorKind.EXISTS: _("There is a folder of this name already."),
        ErrorKind.INVALID: _('A name has 1 to 60 characters, none of them / \\ % * ".'),
        ErrorKind.LIMIT: _("Folders can be at most %s levels deep.") % depth
        if depth
        else _("There can be at most %s folders.") % limit,
    }
    if error.kind not in sentences:
        raise error
    form.add_error("name", sentences[error.kind])
