"""A process that delivers, orders, moves and purges until it is killed; started by `test_crashes`.

It writes a line for every mail that was acknowledged (after its future is done), as an SMTP client would remember it.
"""

from __future__ import annotations

import itertools
import os
import sys

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
if __name__ == "__main__":
    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    settings.DATA_DIR = type(settings.DATA_DIR)(sys.argv[2])
    django.setup()

    from core.access import system_access
    from mailstore.models import Role
    from mailstore.selectors import folders, lists
    from mailstore.services import entries, orders
    from mailstore.services.deliver import Incoming, Placement, deliver, prepare
    from mailstore.services.rows import now_us
    from tests.mailstore.letters import letter

    def main(mailbox: int, other: int, tag: str) -> None:
        """Groups of 20 for two mailboxes; between them the first of the inbox are moved about and some purged."""
        access = system_access(mailbox)
        for turn in itertools.count():
            names = [f"{tag}-{turn}-{number}" for number in range(20)]
            futures = []
            for number, name in enumerate(names):
                big = os.urandom(300_000).hex() if number == 0 else ""
                raw = letter(name, references=[f"{tag}-{turn}-0"], body=big or name)
                futures.append(deliver(Incoming(prepare(raw), [Placement(mailbox), Placement(other)])))
            for name, future in zip(names, futures, strict=True):
                future.result(30)
                sys.stdout.write(f"{name}\n")
                sys.stdout.flush()
            _order(access, turn)
            _shuffle(access, turn)

    def _order(access, turn: int) -> None:  # type: ignore[no-untyped-def]
        """The inbox's orders are begun, filled in small slices and dropped again and again."""
        inbox = folders.folder_by_role(access, Role.INBOX)
        orders.KEPT_FROM, orders.SLICE = -1, 7
        orders._noted.clear()
        orders.use_orders(access, inbox, lists.Filter(sender="a@b.test"), lists.Sort(list(lists.By)[turn % 4]))
        orders.fill_orders(inbox.id)
        if turn % 4 == 3:
            orders.drop_orders(now_us() + 40 * 86_400_000_000)

    def _shuffle(access, turn: int) -> None:  # type: ignore[no-untyped-def]
        inbox, trash = (folders.folder_by_role(access, role).id for role in (Role.INBOX, Role.TRASH))
        ids = [row.entry_id for row in lists.list_page(access, inbox, limit=10).rows]
        moved = entries.move(access, ids, folder_id=trash)
        if turn % 2:
            entries.move_back(access, moved.undo)
        else:
            entries.purge(access, ids[:3])

    main(int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
