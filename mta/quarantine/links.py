"""The signed link behind 放行: it names one mail, works without signing in, and expires with it."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.core import signing

from core.errors import ErrorKind, MailError
from mta.models import QuarantinedMail

SALT = "mta.quarantine.release"
MAX_AGE_S = 7 * 24 * 3600
PATH = "/quarantine/link/"


def release_link(mail: QuarantinedMail) -> str:
    """The whole address."""
    return str(urljoin(settings.BASE_URL, f"{PATH}{signing.dumps([mail.pk, mail.account_id], salt=SALT)}/"))


def linked_mail(token: str) -> tuple[int, int]:
    """(mail, account) of a link; NOT_FOUND for one that is forged or older than seven days."""
    try:
        mail_id, account_id = signing.loads(token, salt=SALT, max_age=MAX_AGE_S)
    except (signing.BadSignature, ValueError, TypeError):
        raise MailError(ErrorKind.NOT_FOUND) from None
    return int(mail_id), int(account_id)
