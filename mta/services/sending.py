"""How an account sends: 18.1.5 and 18.4.3 of the manual."""

from __future__ import annotations

from core.access import Access, Right
from core.prepared import Prepared
from mta.models import SendSettings

_SETTINGS = Prepared(lambda account_id: SendSettings.objects.filter(pk=account_id))


def send_settings(mailbox: int) -> SendSettings:
    """The stored settings, or the defaults; one query."""
    return _SETTINGS.first(mailbox) or SendSettings(account_id=mailbox)


def update_send_settings(
    access: Access, *, keeps_web_mail: bool, keeps_program_mail: bool, follows: bool
) -> SendSettings:
    """Change them; obeyed by the next mail. Needs MANAGE."""
    access.require(Right.MANAGE)
    values = {"keeps_web_mail": keeps_web_mail, "keeps_program_mail": keeps_program_mail, "follows": follows}
    return SendSettings.objects.update_or_create(pk=access.mailbox, defaults=values)[0]
