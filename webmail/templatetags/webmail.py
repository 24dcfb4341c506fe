"""Words of our templates: icons inlined as SVG, avatars."""

from __future__ import annotations

import functools
import re
import secrets

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from webmail.people import Face

register = template.Library()

ICONS = settings.BASE_DIR / "static" / "vendor" / "icons"
_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.S)
_NAME = re.compile(r"[a-z0-9-]{1,40}")


@register.simple_tag
@functools.cache
def icon(name: str) -> SafeString:
    """An outline icon by its Tabler name, sized and coloured by CSS; decoration, so hidden from screen readers."""
    if not _NAME.fullmatch(name):
        raise template.TemplateSyntaxError(f"no icon is called {name!r}")
    body = _BODY.search((ICONS / f"{name}.svg").read_text())
    if body is None:
        raise template.TemplateSyntaxError(f"{name}.svg is no icon")
    inner = " ".join(body.group(1).split())
    return mark_safe(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{inner}</svg>')  # noqa: S308 - a file of ours


@register.simple_tag
def attempt() -> SafeString:
    """The name by which a page's mail is known when it is posted again (`webmail.attempts`)."""
    return format_html('<input type="hidden" name="attempt" value="{}">', secrets.token_hex(8))


@register.simple_tag
def avatar(name: str, address: str, size: str = "") -> SafeString:
    """A person's initials on his colour."""
    face = Face(name, address)
    return format_html('<span class="avatar {} {}" aria-hidden="true">{}</span>', size, face.colour, face.initials)
