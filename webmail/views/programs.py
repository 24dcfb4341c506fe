"""客户端授权码: how mail programs are set up, and the codes they sign in with; plain forms."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.selectors import client_codes_of
from accounts.services import create_client_code, revoke_client_code
from accounts.services.client_codes import MAX_CODES
from webmail.forms.programs import ClientCodeForm
from webmail.http import actor_of, remote_address

SERVERS = (
    ("IMAP", "IMAPS_PORT", "IMAP_PORT"),
    ("POP3", "POP3S_PORT", "POP3_PORT"),
    ("SMTP", "SUBMISSIONS_PORT", "SUBMISSION_PORT"),
)
"""Protocol, setting of the port with TLS, setting of the port with STARTTLS."""


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def programs(request: HttpRequest) -> HttpResponse:
    """All codes without their secrets. A new one is made with the password, and shown in this answer and never again."""
    account = actor_of(request)
    form = ClientCodeForm(account, remote_address(request), request.POST or None)
    code, status = "", 200
    if request.method == "POST":
        status = 200 if form.is_valid() else 422
        if status == 200:
            _credential, code = create_client_code(account, form.cleaned_data["label"], actor=account)
            form = ClientCodeForm(account, "")
    context: dict[str, Any] = {
        "codes": client_codes_of(account),
        "limit": MAX_CODES,
        "form": form,
        "code": code,
        "host": settings.PUBLIC_HOST,
        "servers": [(name, getattr(settings, tls), getattr(settings, plain)) for name, tls, plain in SERVERS],
    }
    return render(request, "webmail/programs.html", context, status=status)


@login_required
@require_POST
def program_revoke(request: HttpRequest, code_id: int) -> HttpResponse:
    """Take a code back."""
    account = actor_of(request)
    revoke_client_code(account, code_id, actor=account)
    messages.success(request, _("The code no longer works"))
    return redirect("programs")
