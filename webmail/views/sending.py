"""How one's mail is sent, kept and followed; a plain form."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.selectors import access_for
from mta.services.sending import send_settings, update_send_settings
from webmail.forms.sending import SendingForm
from webmail.http import actor_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sending(request: HttpRequest) -> HttpResponse:
    """The settings of one's own mailbox."""
    actor = actor_of(request)
    if request.method == "POST":
        form = SendingForm(request.POST)
        if form.is_valid():
            update_send_settings(
                access_for(actor, actor.pk), **{name: bool(value) for name, value in form.cleaned_data.items()}
            )
            messages.success(request, _("Saved"))
            return redirect("sending")
        return render(request, "webmail/sending.html", {"form": form}, status=422)
    stored = send_settings(actor.pk)
    names = ("keeps_web_mail", "keeps_program_mail", "follows")
    form = SendingForm(initial={name: "1" if getattr(stored, name) else "" for name in names})
    return render(request, "webmail/sending.html", {"form": form})
