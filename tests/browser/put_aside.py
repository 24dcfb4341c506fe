"""Puts mails of a browser test's server into quarantine and sends their report: `python -m tests.browser.put_aside ADDRESS`.
Prints the report's link."""

from __future__ import annotations

import datetime
import sys

import django


def main(address: str) -> None:
    """Two pieces of spam and a virus; the evening after."""
    django.setup()

    from accounts.models import Account
    from accounts.selectors import access_for
    from mta.quarantine.digest import RELEASE, send_digests
    from mta.quarantine.services import set_digest
    from tests.factories import quarantined

    account = Account.objects.get(address=address)
    set_digest(access_for(account, account.pk), wanted=True)
    for subject, kind in (("A prize for you", "spam"), ("Price list", "virus"), ("Cheap watches", "spam")):
        mail = quarantined(account, subject, kind=kind)
    send_digests(mail.received_at + datetime.timedelta(days=1))
    sys.stdout.write(RELEASE.make(mail.pk, mail.account_id))


if __name__ == "__main__":
    main(sys.argv[1])
