"""The owners of the mailboxes: they flag, move, move back, delete, purge and recover what came, from this process."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from core.access import Access, system_access
from core.errors import MailError
from mailstore import sql
from mailstore.models import Flag, Role
from mailstore.selectors import folders, lists
from mailstore.services import entries
from webmail.soak.client import Client
from webmail.soak.ledger import Ledger

ACTS = ("flag", "flag", "unflag", "move", "move back", "delete", "purge", "recover")


class Owner(Client[str]):
    """Acts on all mailboxes in turn. Nothing here copies a mail or ends its recovery: every mail stays countable."""

    def __init__(self, name: str, ledger: Ledger, seed: int, mailboxes: Sequence[int]) -> None:
        super().__init__(name, ledger, seed)
        self._mailboxes = mailboxes

    def run(self) -> None:
        """As every client; the connection of this thread goes with it."""
        super().run()
        connection.close()

    def new(self) -> str:
        """The next act."""
        return self.chance.choice(ACTS)

    def attempt(self, item: str) -> bool:
        """Do it to a few mails; somebody else may have been quicker."""
        access = system_access(self.chance.choice(self._mailboxes))
        try:
            self._act(access, item)
        except MailError as error:
            self.ledger.count(f"refused {error.kind.value}")
        else:
            self.ledger.count("acts of owners")
        return True

    def _act(self, access: Access, act: str) -> None:
        trash = folders.folder_by_role(access, Role.TRASH).id
        role = Role.TRASH if act in ("purge", "move back") else self.chance.choice([Role.INBOX, Role.SENT])
        page = lists.list_page(access, folders.folder_by_role(access, role).id, limit=20)
        ids = [row.entry_id for row in page.rows]
        chosen = self.chance.sample(ids, min(len(ids), self.chance.randrange(1, 6)))
        if act == "recover":
            found = sql.rows("SELECT id FROM mailstore_recoverable WHERE mailbox_id = %s LIMIT 3", [access.mailbox])
            chosen = [row[0] for row in found]
        if not chosen:
            return
        if act in ("flag", "unflag"):
            flags = self.chance.choice([Flag.SEEN, Flag.FLAGGED, Flag.SEEN | Flag.FLAGGED])
            changed = {"add": flags} if act == "flag" else {"remove": flags}
            entries.set_flags(access, chosen, **changed)
        elif act == "move":
            entries.move(access, chosen, folder_id=folders.folder_by_role(access, Role.JUNK).id)
        elif act == "move back":
            moved = entries.move(access, chosen, folder_id=folders.folder_by_role(access, Role.INBOX).id)
            entries.move_back(access, moved.undo)
        elif act == "delete":
            entries.move(access, chosen, folder_id=trash)
        elif act == "purge":
            entries.purge(access, chosen)
        else:
            entries.recover(access, chosen)
