"""Signing in and out. Works without scripts; says what to do when it does not let somebody in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain_names import domain_of_host
from accounts.sign_in import Reason, SignInError, sign_in as prove
from webmail.http import remote_address

BACKEND = "accounts.backends.AddressBackend"
REMEMBERED = "account"
REMEMBER_S = 180 * 24 * 3600
MAX_LOGIN_CHARS = 320


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what it posts. 422 with the form when somebody is not let in."""
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(_following(request))
        return _page(request, login_name=request.COOKIES.get(REMEMBERED, ""), remember=REMEMBERED in request.COOKIES)
    name = request.POST.get("login", "").strip()[:MAX_LOGIN_CHARS]
    remember = "remember" in request.POST
    try:
        found = prove(
            name,
            request.POST.get("password", ""),
            host=request.get_host(),
            protocol="web",
            remote_address=remote_address(request),
            program=request.headers.get("User-Agent", "")[:200],
        )
    except SignInError as error:
        return _page(request, login_name=name, remember=remember, error=sentence(error), status=422)
    login(request, found.account, backend=BACKEND)
    response = redirect(_following(request))
    if remember:
        response.set_cookie(
            REMEMBERED, name, max_age=REMEMBER_S, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
    else:
        response.delete_cookie(REMEMBERED)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return redirect("sign_in")


def sentence(error: SignInError) -> str:
    """Why somebody was not let in, and what to do."""
    if error.reason is Reason.THROTTLED:
        minutes = max(1, -(-error.retry_after_s // 60))
        return ngettext(
            "Too many attempts. Try again in %d minute.", "Too many attempts. Try again in %d minutes.", minutes
        ) % (minutes,)
    if error.reason is Reason.SUSPENDED:
        return _("This account is suspended or has expired. Ask your administrator.")
    if error.reason is Reason.PROTOCOL:
        return _("This account may not use the webmail. Ask your administrator.")
    if error.reason is Reason.NETWORK:
        return _("This account may not sign in from here. Ask your administrator.")
    if error.reason is Reason.FULL_ADDRESS:
        return _("Type your whole address, such as name@company.com.")
    return _("Account or password is wrong. Check Caps Lock and try again.")


def _page(request: HttpRequest, *, login_name: str, remember: bool, error: str = "", status: int = 200) -> HttpResponse:
    domain = domain_of_host(request.get_host())
    context = {
        "login_name": login_name,
        "remember": remember,
        "error": error,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "host_domain": domain.name if domain else "",
    }
    return render(request, "webmail/sign_in.html", context, status=status)


def _following(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else reverse("home")
