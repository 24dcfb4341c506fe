"""A mail that is posted again because its answer was lost: its page names what it sends (`attempt`), and the mail goes once.

The name is taken together with what is posted, so a page that is gone back to and changed sends another mail.
"""

from __future__ import annotations

import hashlib

from django.http import HttpRequest

from webmail.http import actor_of

MAX_NAME_CHARS = 64
PASSING = frozenset({"csrfmiddlewaretoken", "revision", "confirmed"})
"""What differs between two posts of one mail."""


def digest_of(request: HttpRequest) -> bytes:
    """By which the posted mail is known when it is posted again (`SubmitRequest.digest`); empty without a name for it."""
    name = request.POST.get("attempt", "")[:MAX_NAME_CHARS]
    if not name:
        return b""
    digest = hashlib.sha256(f"{actor_of(request).pk} {name}".encode())
    for field, values in sorted(request.POST.lists()):
        if field not in PASSING:
            digest.update(repr((field, values)).encode("utf-8", "surrogatepass"))
    return digest.digest()
