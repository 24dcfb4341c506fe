"""Whatever is done to a mailbox, in any order: counters equal rows, and UIDs and mod-sequences only rise."""

from __future__ import annotations

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.access import system_access
from core.errors import MailError
from mailstore import sql
from mailstore.check_store import check_store
from mailstore.models import Flag, Role
from mailstore.services import drafts, entries, folders
from mailstore.services.mailboxes import create_mailbox
from tests.factories import make_account
from tests.mailstore.letters import folder_id, letter, stored

NAMES = st.sampled_from("abcdef")
PICK = st.lists(st.integers(0, 30), min_size=1, max_size=4)
FLAGS = st.sampled_from([Flag.SEEN, Flag.FLAGGED, Flag.SEEN | Flag.FLAGGED, Flag.ANSWERED])


class MailboxMachine(RuleBasedStateMachine):
    """One mailbox, its owner acting at random."""

    def __init__(self) -> None:
        super().__init__()
        account = make_account(f"p{next(numbers)}@example.test")
        create_mailbox(account.pk)
        self.access = system_access(account.pk)
        self.serial = 0
        self.before: dict[int, tuple[int, int]] = {}

    @rule(
        name=NAMES, references=st.lists(NAMES, max_size=3), flags=FLAGS, role=st.sampled_from([Role.INBOX, Role.SENT])
    )
    def deliver(self, name: str, references: list[str], flags: Flag, role: Role) -> None:
        """Mail arrives, in threads that grow together."""
        self.serial += 1
        raw = letter(name, references=references, body=str(self.serial))
        stored(self.access, raw, flags=int(flags), role=role, at_us=1_000_000 * (self.serial % 7))

    @rule(pick=PICK, add=FLAGS, remove=FLAGS)
    def flag(self, pick: list[int], add: Flag, remove: Flag) -> None:
        """Flags change."""
        self.act(lambda ids: entries.set_flags(self.access, ids, add=add, remove=remove), pick)

    @rule(pick=PICK, role=st.sampled_from(list(Role)[:5]))
    def move(self, pick: list[int], role: Role) -> None:
        """Entries move; sometimes the move is undone."""
        moved = self.act(lambda ids: entries.move(self.access, ids, folder_id=folder_id(self.access, role)), pick)
        if moved is not None and sum(pick) % 3 == 0:
            entries.move_back(self.access, moved.undo)

    @rule(pick=PICK)
    def copy(self, pick: list[int]) -> None:
        """Copies share their message."""
        self.act(lambda ids: entries.copy(self.access, ids, folder_id=folder_id(self.access, Role.JUNK)), pick)

    @rule(pick=PICK)
    def delete(self, pick: list[int]) -> None:
        """To the trash, and from the trash away."""
        self.act(lambda ids: entries.delete(self.access, ids), pick)

    @rule(pick=PICK)
    def purge(self, pick: list[int]) -> None:
        """Into recovery."""
        self.act(lambda ids: entries.purge(self.access, ids), pick)

    @precondition(lambda self: self.recoverable())
    @rule(pick=PICK)
    def recover(self, pick: list[int]) -> None:
        """And back."""
        there = self.recoverable()
        entries.recover(self.access, [there[number % len(there)] for number in pick])

    @rule()
    def expire(self) -> None:
        """Recovery is over."""
        entries.expire_recoverable(self.access.mailbox, 1 << 60)

    @rule(times=st.integers(1, 3), role=st.sampled_from([Role.INBOX, Role.TRASH]))
    def draft(self, times: int, role: Role) -> None:
        """A draft is written, its copy replaced, then it goes; a folder is emptied."""
        draft = drafts.create_draft(self.access, identity="p@example.test")
        for number in range(times):
            drafts.snapshot_draft(self.access, draft.id, letter("draft", body=str(number)))
        if times > 1:
            drafts.discard_draft(self.access, draft.id)
        folders.empty_folder(self.access, folder_id(self.access, role))

    @invariant()
    def rows_agree(self) -> None:
        """check_store finds nothing."""
        assert check_store(self.access.mailbox) == []

    @invariant()
    def numbers_rise(self) -> None:
        """RFC 9051 2.3.1.1, RFC 7162 3.1."""
        query = "SELECT id, uidnext, highestmodseq FROM mailstore_folder WHERE mailbox_id = %s"
        now = {row[0]: (row[1], row[2]) for row in sql.rows(query, [self.access.mailbox])}
        for folder, (uidnext, modseq) in self.before.items():
            assert now[folder][0] >= uidnext
            assert now[folder][1] >= modseq
        self.before = now

    def act(self, call, pick):  # type: ignore[no-untyped-def]
        """`call` with some existing entries; an expected refusal is fine."""
        ids = [
            row[0]
            for row in sql.rows(
                "SELECT id FROM mailstore_entry WHERE mailbox_id = %s ORDER BY id", [self.access.mailbox]
            )
        ]
        if not ids:
            return None
        try:
            return call([ids[number % len(ids)] for number in pick])
        except MailError:
            return None

    def recoverable(self) -> list[int]:
        """What may be recovered."""
        return [
            row[0]
            for row in sql.rows("SELECT id FROM mailstore_recoverable WHERE mailbox_id = %s", [self.access.mailbox])
        ]


numbers = iter(range(10**9))


def test_counters_equal_rows_whatever_is_done(db: None) -> None:
    run_state_machine_as_test(
        MailboxMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
