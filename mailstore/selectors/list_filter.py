"""Which entries a list shows, and which index leads through them.

One condition leads (the driver: an index that gives its matches in the order of date); the others are checked row by
row, in a form that no index answers, so that neither engine's planner takes another road than the chosen one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from mailstore.ddl import ATTACHMENT
from mailstore.flag_lists import STARRED_LIST, UNREAD_LIST, among_listed, lead
from mailstore.message import address_hash
from mailstore.orders import ENTRY_OF, NUMBERS, Kind
from mailstore.selectors.list_order import Key, Walk

Part = tuple[str, list[object]]
"""` AND …` and its parameters."""

NOTHING: Part = ("", [])


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    """Which entries; all conditions must hold. `label` is a keyword's id, `sender` an address, `since_us` included and
    `until_us` not; `todo` means marked and not done; `unmarked` leaves out what has a mark, done or not. `text` is looked
    for in subject, sender and recipients."""

    unread: bool = False
    read: bool = False
    starred: bool = False
    attachment: bool = False
    label: int | None = None
    todo: bool = False
    sender: str = ""
    since_us: int | None = None
    until_us: int | None = None
    text: str = ""
    unmarked: bool = False

    def where(self) -> Part:
        """All of it but the text, on the entry `e`: for acts on everything that a list shows."""
        conditions, parameters = self.range()
        for condition in [*self._conditions(), *([HAS_BEEN_READ] if self.read else [])]:
            form = condition.residual if condition.name in {"label", "todo", "read", "sender"} else condition.leading
            conditions += form[0]
            parameters = [*parameters, *form[1]]
        return conditions, parameters

    def range(self) -> Part:
        """What every road checks: the span of dates, and that there is no to-do mark."""
        conditions, parameters = "", list[object]()
        for bound, sign in ((self.since_us, ">="), (self.until_us, "<")):
            if bound is not None:
                conditions += f" AND e.sort_us {sign} %s"
                parameters.append(bound)
        return conditions + NOT_MARKED * self.unmarked, parameters

    def has_range(self) -> bool:
        """Whether dates are bounded."""
        return self.since_us is not None or self.until_us is not None

    def driver(
        self, counters: Counters | None = None, *, ready: int | None = None
    ) -> tuple[Condition | None, list[Condition]]:
        """The condition that leads (None: nothing that an index answers is asked) and the rest. The rarest leads, as far
        as anybody knows. `ready` are the folder's `orders_ready`, None: as if all of them were."""
        conditions = sorted(self._conditions(), key=lambda each: each.rows(counters))
        leading = [each for each in conditions if ready is None or each.is_led(ready)][:1]
        rest = [each for each in conditions if each not in leading] + ([HAS_BEEN_READ] if self.read else [])
        return (leading[0] if leading else None), rest

    def _conditions(self) -> Iterator[Condition]:
        if self.todo:
            yield Condition("todo", NOTHING, (f" AND {IS_TODO}", []))
        if self.label is not None:
            yield Condition("label", (" AND l.keyword_id = %s", [self.label]), (HAS_LABEL, [self.label]))
        if self.sender:
            address = self.sender.strip().lower()
            by_hash: list[object] = [address_hash(address)]
            yield Condition("sender", (" AND o.hash = %s", by_hash), (" AND e.sender_hash = %s", by_hash))
        for name, wanted, leading, checked in (
            ("starred", self.starred, among_listed(STARRED_LIST), "(e.flags & 4) > 0"),
            ("unread", self.unread, among_listed(UNREAD_LIST), "(e.flags & 1) < 1"),
            ("attachment", self.attachment, ATTACHMENT.replace("(", "(e.", 1), "(e.attributes & 1) > 0"),
        ):
            if wanted:
                yield Condition(name, (f" AND {leading}", []), (f" AND {checked}", []))


ALL = Filter()
NOT_MARKED = " AND NOT EXISTS (SELECT 1 FROM mailstore_todo n WHERE n.entry_id = e.id)"
IS_TODO = "EXISTS (SELECT 1 FROM mailstore_todo d WHERE d.entry_id = e.id AND d.done_us IS NULL)"
HAS_LABEL = (
    " AND EXISTS (SELECT 1 FROM mailstore_entrylabel h WHERE h.keyword_id = %s AND h.folder_id = e.folder_id "
    "AND h.sort_us = e.sort_us AND h.entry_id = e.id)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Counters:
    """What a folder knows of itself."""

    total: int
    unread: int
    starred: int


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """One condition in two forms: `leading`, which its index answers, and `residual`, which is checked on each row."""

    name: str
    leading: Part
    residual: Part

    def rows(self, counters: Counters | None) -> int:
        """About how many rows it leads through: known for stars and unread, else by what is rare as a rule."""
        total = counters.total if counters else 1 << 40
        known = {"starred": counters.starred, "unread": counters.unread} if counters else {}
        usual = {"todo": total // 1000, "label": total // 50, "sender": total // 40, "starred": total // 30}
        return known.get(self.name, usual.get(self.name, total // 4))

    def source(self, mailbox: int, folder_id: int) -> tuple[str, str, list[object]]:
        """FROM, WHERE and parameters that lead through the folder's matches."""
        condition, parameters = self.leading
        if self.name == "label":
            where = "l.folder_id = %s AND l.mailbox_id = %s AND e.id = l.entry_id"
            return (
                "mailstore_entrylabel l CROSS JOIN mailstore_entry e",
                where + condition,
                [folder_id, mailbox, *parameters],
            )
        if self.name == "todo":
            marked = "d.mailbox_id = %s AND d.done_us IS NULL AND e.id = d.entry_id AND e.folder_id + 0 = %s"
            return "mailstore_todo d CROSS JOIN mailstore_entry e", marked, [mailbox, folder_id]
        if self.name == "sender":
            return in_order(Kind.FROM, condition, mailbox, folder_id, parameters)
        if self.name in FLAGS:
            listed = lead(**{self.name: True})
            where = f"{listed.folder_id} = %s AND e.mailbox_id = %s{listed.condition}"
            return listed.source, where, [folder_id, mailbox]
        return "mailstore_entry e", f"{IN_FOLDER}{condition}", [folder_id, mailbox, *parameters]

    def keys(self, mailbox: int, folder_id: int) -> tuple[str, str, list[object]]:
        """`source` of the columns that `walk` names, in a folder that has been opened: no entry need be read for them."""
        if self.name == "label":
            return "mailstore_entrylabel l", "l.folder_id = %s AND l.keyword_id = %s", [folder_id, *self.leading[1]]
        if self.name in FLAGS:
            listed = lead(**{self.name: True})
            source, condition = listed.keys
            return source, f"{listed.folder_id} = %s{condition}", [folder_id]
        return self.source(mailbox, folder_id)

    def walk(self, walk: Walk) -> Walk:
        """The walk by date through this condition's index."""
        if self.name == "label":
            return dataclasses.replace(walk, value="l.sort_us", id="l.entry_id")
        if self.name == "sender":
            return dataclasses.replace(walk, value="o.number", id="o.tie")
        if self.name in FLAGS:
            listed = lead(**{self.name: True})
            return dataclasses.replace(walk, value=listed.sort_us, id=listed.id)
        return walk

    def is_led(self, ready: int) -> bool:
        """Whether it can lead in a folder whose ready orders these are."""
        return self.name != "sender" or bool(ready & Kind.FROM)

    @property
    def is_sorted(self) -> bool:
        """Whether its index gives the order of dates; the to-do marks are few and are sorted."""
        return self.name != "todo"


FLAGS = frozenset({"unread", "starred"})
HAS_BEEN_READ = Condition("read", NOTHING, (" AND (e.flags & 1) > 0", []))
"""Most mails have been read: no index is kept for it, and it never leads."""
IN_FOLDER = "e.folder_id = %s AND e.mailbox_id = %s"


def in_order(
    kind: Kind, condition: str, mailbox: int, folder_id: int, parameters: Sequence[object] = ()
) -> tuple[str, str, list[object]]:
    """FROM, WHERE and parameters that lead through an order that the folder keeps."""
    wordless = " AND o.word = ''" * (kind in NUMBERS)
    where = (
        f"o.folder_id = %s AND o.kind = {int(kind)}{condition}{wordless} "
        f"AND e.id = {ENTRY_OF[kind]} AND e.mailbox_id = %s AND e.folder_id + 0 = o.folder_id"
    )
    return "mailstore_entryorder o CROSS JOIN mailstore_entry e", where, [folder_id, *parameters, mailbox]


def key_condition(walk: Walk, after: Key | None, until: Key | None = None) -> Part:
    """Rows after one key and up to another."""
    first, values = walk.beyond(after)
    second, more = walk.until(until)
    return first + second, [*values, *more]
