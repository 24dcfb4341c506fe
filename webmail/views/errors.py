"""What went wrong, what was kept, what to do: as a page, as a line for the toast, or as JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.csrf import requires_csrf_token

from core.errors import ErrorKind, MailError
from webmail.http import wants_json

SENTENCES = {
    ErrorKind.NOT_FOUND: gettext_lazy("This is not here (any more)."),
    ErrorKind.EXISTS: gettext_lazy("The name is taken already."),
    ErrorKind.NO_PERMISSION: gettext_lazy("You may not do this in this mailbox."),
    ErrorKind.OVER_QUOTA: gettext_lazy("The mailbox is full. Delete something first."),
    ErrorKind.TOO_LARGE: gettext_lazy("This is too large."),
    ErrorKind.IN_USE: gettext_lazy("This is still in use. Empty it first."),
    ErrorKind.LIMIT: gettext_lazy("The limit is reached."),
    ErrorKind.INVALID: gettext_lazy("Something in the form is not valid."),
    ErrorKind.NO_SPACE: gettext_lazy(
        "The server's disk is full, so this was not saved. What you wrote is still in your browser: tell your "
        "administrator and try again when there is room. Nothing that was saved before is lost."
    ),
    ErrorKind.UNAVAILABLE: gettext_lazy("The server can't do this right now. Try again in a moment; nothing was lost."),
}


def failed(request: HttpRequest, error: MailError, *, status: int) -> HttpResponse:
    """The answer to an expected failure."""
    return _answer(request, str(SENTENCES[error.kind]), status=status)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(request, _("This page does not exist."), status=404)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, _("You may not see this page."), status=403)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return HttpResponse(_("The server did not understand this request."), status=400, content_type="text/plain")


@requires_csrf_token
def broken(request: HttpRequest) -> HttpResponse:
    """500: asks nothing of the database, which may be what broke."""
    text = _("Something went wrong on the server. It was noted; what you wrote is still in your browser.")
    return render(request, "webmail/broken.html", {"text": text}, status=500)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page is from another session. The browser's back button brings the text back."""
    text = _("This page was opened before you signed in (again). Go back, reload the page and send the form once more.")
    return _answer(request, text, status=403)


def _answer(request: HttpRequest, text: str, *, status: int) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": text}, status=status)
    if request.headers.get("HX-Request"):
        return render(request, "webmail/error_part.html", {"text": text}, status=status)
    return render(request, "webmail/error.html", {"text": text, "status": status}, status=status)
