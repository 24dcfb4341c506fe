"""Keywords and labels of a mailbox: made, renamed, removed, set on entries.

A label is a keyword that has a name. The atom of a keyword, what mail programs see (RFC 9051 2.3.2), is fixed when it
is made; renaming a label never changes it, so programs keep their state.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.selectors.keywords import KeywordRow, keyword, keywords
from mailstore.services.flags import Changed
from mailstore.services.rows import Row, bits, count_keywords, load, log_changes, unread_of
from mailstore.services.selection import Chosen, names_entries, slices_of

MAX_KEYWORDS = 62
"""Bits of a signed 64-bit number that stay positive."""
MAX_LABELS = 20
"""The manual's limit (18.4.7)."""
MAX_LABEL_CHARS = 60
MAX_ATOM_CHARS = 100
_ATOM = re.compile(r"[^\x00-\x20\x7f-\U0010ffff(){%*\"\\\]]+")
_COLOUR = re.compile(r"(#[0-9a-f]{6})?")


def make_keyword(access: Access, atom: str) -> KeywordRow:
    """The keyword with this atom (RFC 9051 9, `flag-keyword`; case does not count), made at its first use. Needs FLAG;
    INVALID for what is no atom, LIMIT when the mailbox has 62."""
    access.require(Right.FLAG)
    if len(atom) > MAX_ATOM_CHARS or not _ATOM.fullmatch(atom):
        raise MailError(ErrorKind.INVALID, field="keyword")
    known = _find(access, atom)  # mostly it is there: no need to wait for those who write
    if known is not None:
        return known
    with transaction.atomic():
        Ledger([access.mailbox])
        return _find(access, atom) or _make(access, atom)


def create_label(access: Access, name: str, *, colour: str = "") -> KeywordRow:
    """A label; `colour` is `#rrggbb` or empty. Needs FLAG; EXISTS, INVALID, LIMIT beyond 20 labels or 62 keywords."""
    access.require(Right.FLAG)
    name = _label_name(name)
    with transaction.atomic():
        Ledger([access.mailbox])
        labels = [each for each in keywords(access) if each.label]
        if len(labels) >= MAX_LABELS:
            raise MailError(ErrorKind.LIMIT, limit=MAX_LABELS)
        _refuse_double(labels, name)
        made = _make(access, "")
        sql.run(
            "UPDATE mailstore_keyword SET label = %s, colour = %s, atom = %s WHERE id = %s",
            [name, _colour(colour), f"gm-label-{made.id}", made.id],
        )
    return keyword(access, made.id)


def change_label(access: Access, keyword_id: int, *, name: str, colour: str = "") -> KeywordRow:
    """Rename or recolour a label; its atom stays. Needs FLAG; NOT_FOUND, EXISTS, INVALID."""
    access.require(Right.FLAG)
    name = _label_name(name)
    with transaction.atomic():
        Ledger([access.mailbox])
        others = [each for each in keywords(access) if each.label and each.id != keyword_id]
        _refuse_double(others, name)
        keyword(access, keyword_id)
        sql.run(
            "UPDATE mailstore_keyword SET label = %s, colour = %s WHERE id = %s", [name, _colour(colour), keyword_id]
        )
    return keyword(access, keyword_id)


def delete_keyword(access: Access, keyword_id: int) -> None:
    """Take a keyword (a label) off every entry and forget it; harmless to repeat after a crash. Needs FLAG; NOT_FOUND."""
    access.require(Right.FLAG)
    found = keyword(access, keyword_id)
    while True:
        query = "SELECT entry_id FROM mailstore_entrylabel WHERE keyword_id = %s LIMIT %s"
        ids = [row[0] for row in sql.rows(query, [keyword_id, sql.SLICE])]
        if not ids:
            break
        _strip(access, ids, found)
    with transaction.atomic():
        Ledger([access.mailbox])
        # What comes back from recovery must not carry the next keyword that gets this bit.
        sql.run(
            "UPDATE mailstore_recoverable SET keywords = keywords & ~%s WHERE mailbox_id = %s AND (keywords & %s) <> 0",
            [1 << found.bit, access.mailbox, 1 << found.bit],
        )
        sql.run(
            "DELETE FROM mailstore_keyword WHERE id = %s AND mailbox_id = %s AND total = 0",
            [keyword_id, access.mailbox],
        )


def set_keywords(
    access: Access,
    chosen: Chosen,
    *,
    add: Sequence[int] = (),
    remove: Sequence[int] = (),
    unchanged_since: int | None = None,
) -> Changed:
    """Put keywords (by id) on entries and take others off; entries that stay as they are keep their modseq, those with
    a newer modseq than `unchanged_since` are left alone. Needs FLAG;
    NOT_FOUND for a keyword or an entry of another mailbox."""
    access.require(Right.FLAG)
    known = {each.id: each for each in keywords(access)}
    if not set(add) | set(remove) <= known.keys():
        raise MailError(ErrorKind.NOT_FOUND)
    added, removed = (sum(1 << known[each].bit for each in set(ids)) for ids in (add, remove))
    changed: list[int] = []
    refused: list[int] = []
    found = modseq = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            rows = load(ledger, access, entry_ids)
            found += len(rows)
            newer = {row.id for row in rows if unchanged_since is not None and row.modseq > unchanged_since}
            refused += sorted(newer)
            changing = [
                row for row in rows if (row.keywords | added) & ~removed != row.keywords and row.id not in newer
            ]
            if changing:
                modseq = _change(ledger, access, changing, added, removed)
                changed += [row.id for row in changing]
    if not found and names_entries(chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return Changed(changed, modseq, tuple(refused))


def _change(ledger: Ledger, access: Access, rows: list[Row], added: int, removed: int) -> int:
    changes = []
    gone: list[tuple[int, int]] = []
    came = []
    numbers = {each.bit: each.id for each in keywords(access)}
    log_changes(ledger, rows)
    for row in rows:
        after = (row.keywords | added) & ~removed
        for bit in bits(after & ~row.keywords):
            came.append((numbers[bit], access.mailbox, row.folder_id, row.sort_us, row.id))
            changes.append((1 << bit, 1, unread_of(row.flags)))
        for bit in bits(row.keywords & ~after):
            gone.append((row.id, numbers[bit]))
            changes.append((1 << bit, -1, -unread_of(row.flags)))
    modseq = ledger.mailbox_modseq(access.mailbox)
    ids = [row.id for row in rows]
    sql.run(
        f"UPDATE mailstore_entry SET keywords = (keywords | %s) & ~%s, modseq = %s WHERE id IN ({sql.marks(ids)})",
        [added, removed, modseq, *ids],
    )
    sql.run_many("DELETE FROM mailstore_entrylabel WHERE entry_id = %s AND keyword_id = %s", gone)
    sql.run_many(sql.insert("mailstore_entrylabel", "keyword_id, mailbox_id, folder_id, sort_us, entry_id"), came)
    count_keywords(access.mailbox, changes)
    ledger.write()
    return modseq


def _strip(access: Access, ids: Sequence[int], found: KeywordRow) -> None:
    """As `set_keywords`, in every folder: a read-only or locked one does not keep a label that is gone."""
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        everywhere = Access(0, access.mailbox, access.rights, access.unlocked | set(_folders_of(ids)))
        rows = load(ledger, everywhere, ids)
        _change(ledger, access, rows, 0, 1 << found.bit)
        sql.run(
            f"DELETE FROM mailstore_entrylabel WHERE keyword_id = %s AND entry_id IN ({sql.marks(ids)})",
            [found.id, *ids],
        )


def _folders_of(ids: Sequence[int]) -> list[int]:
    return [
        row[0]
        for row in sql.rows(f"SELECT DISTINCT folder_id FROM mailstore_entry WHERE id IN ({sql.marks(ids)})", ids)
    ]


def _find(access: Access, atom: str) -> KeywordRow | None:
    return next((each for each in keywords(access) if each.atom.lower() == atom.lower()), None)


def _make(access: Access, atom: str) -> KeywordRow:
    taken = {each.bit for each in keywords(access)}
    free = next((bit for bit in range(MAX_KEYWORDS) if bit not in taken), None)
    if free is None:
        raise MailError(ErrorKind.LIMIT, limit=MAX_KEYWORDS)
    made = sql.row(
        sql.insert("mailstore_keyword", "mailbox_id, bit, atom, label, colour, total, unread") + " RETURNING id",
        [access.mailbox, free, atom, "", "", 0, 0],
    )
    return keyword(access, made[0])


def _label_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_LABEL_CHARS or not name.isprintable():
        raise MailError(ErrorKind.INVALID, field="name")
    return name


def _colour(colour: str) -> str:
    if not _COLOUR.fullmatch(colour.lower()):
        raise MailError(ErrorKind.INVALID, field="colour")
    return colour.lower()


def _refuse_double(labels: Sequence[KeywordRow], name: str) -> None:
    if any(each.label.casefold() == name.casefold() for each in labels):
        raise MailError(ErrorKind.EXISTS, field="name")
