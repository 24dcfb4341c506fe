"""SEARCH, SORT and ESEARCH responses (RFC 9051 7.3.4, RFC 4731 3.2, RFC 5256 4, RFC 9394), and what `$` keeps (RFC 5182)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from mailaccess.imap.grammar.returns import Returns
from mailaccess.imap.grammar.sets import ranges_of, written
from mailstore.selectors.folder_state import modseqs_of


@dataclass(frozen=True, slots=True)
class Results:
    """What was found: positions in their order (ascending, or sorted), of a folder's view."""

    folder_id: int
    uids: array[int]
    positions: Sequence[int]
    by_uid: bool
    with_modseq: bool = False

    def shown(self, positions: Sequence[int]) -> list[int]:
        """As the client counts: UIDs or message numbers."""
        return [self.uids[at] for at in positions] if self.by_uid else [at + 1 for at in positions]

    def modseq(self, positions: Sequence[int]) -> int:
        """The highest modification sequence of some of them; 0 for none."""
        if not self.with_modseq or not positions:
            return 0
        wanted = {self.uids[at] for at in positions}
        known = modseqs_of(self.folder_id, min(wanted), max(wanted))
        return max((modseq for uid, modseq in known if uid in wanted), default=0)


def plain(name: str, results: Results) -> bytes:
    """`* SEARCH 2 3`, or `* SORT …`."""
    numbers = " ".join(map(str, results.shown(results.positions)))
    modseq = results.modseq(results.positions)
    tail = f" (MODSEQ {modseq})" if modseq else ""  # RFC 7162 3.1.5
    return f"* {name}{' ' * bool(numbers)}{numbers}{tail}\r\n".encode()


def extended(tag: bytes, returns: Returns, results: Results) -> bytes:
    """`* ESEARCH (TAG "a") UID ALL 2:3`; nothing for SAVE alone."""
    if returns.is_silent:
        return b""
    found = results.positions
    told: list[str] = []
    if found and "min" in returns.wanted:
        told.append(f"MIN {results.shown(found[:1])[0]}")
    if found and "max" in returns.wanted:
        told.append(f"MAX {results.shown(found[-1:])[0]}")
    if found and "all" in returns.wanted:
        told.append(f"ALL {written(ranges_of(results.shown(found)))}")
    if "count" in returns.wanted:
        told.append(f"COUNT {len(found)}")
    if returns.partial is not None:
        begin, end = returns.partial.place(len(found))
        told.append(f"PARTIAL ({returns.partial} {written(ranges_of(results.shown(found[begin:end]))) or 'NIL'})")
    modseq = results.modseq(_concerned(returns, found))
    if modseq:
        told.append(f"MODSEQ {modseq}")
    words = " UID" * results.by_uid + "".join(f" {each}" for each in told)
    return b'* ESEARCH (TAG "%b")%b\r\n' % (tag, words.encode())


def saved(returns: Returns, results: Results) -> list[tuple[int, int]]:
    """UID ranges that `$` stands for afterwards (RFC 5182 2.4, RFC 9394 3.1)."""
    return ranges_of(sorted(results.uids[at] for at in _concerned(returns, results.positions)))


def _concerned(returns: Returns, found: Sequence[int]) -> Sequence[int]:
    """MIN, MAX and PARTIAL alone mean these messages; anything else means all (RFC 4731 3.2, RFC 5182 2.4)."""
    if not (returns.wanted or returns.partial) or returns.wanted & {"all", "count"}:
        return found
    chosen = [*found[:1]] if "min" in returns.wanted else []
    chosen += found[-1:] if "max" in returns.wanted else []
    if returns.partial is not None:
        begin, end = returns.partial.place(len(found))
        chosen += found[begin:end]
    return chosen
