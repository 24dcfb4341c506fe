"""The trees of THREAD (RFC 5256 3): REFERENCES and ORDEREDSUBJECT, of plain columns, without recursion.

Containers are numbers: below `total` the messages by their place, above it the ids that are only referred to, then the
dummies that join threads of one subject. A chain of 100,000 answers is as good as any other mail.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

MAX_CLIMB = 10_000
"""Steps up a tree when a loop is looked for; beyond, a link is taken for one."""
NONE = -1


@dataclass(frozen=True, slots=True)
class Mails:
    """What messages are threaded by, a column each: the own id (0: none), those of the ancestors, the base subject's number
    (0: empty), whether it is a reply or forward, and when it was sent."""

    own: Sequence[int]
    ancestors: Sequence[Sequence[int]]
    subject: Sequence[int]
    is_reply: Sequence[int]
    sent: Sequence[int]


@dataclass(slots=True)
class Trees:
    """Roots and their children; containers from `total` on are dummies."""

    total: int
    roots: list[int]
    children: dict[int, list[int]]


def references(mails: Mails) -> Trees:
    """THREAD=REFERENCES, steps 1 to 6."""
    trees = _pruned(_linked(mails))
    order = _Order(mails, trees)
    order.sort(trees.roots)
    _gather(mails, trees, order)
    for node, siblings in trees.children.items():
        if len(siblings) > 1:
            order.sort(siblings)
        if node >= trees.total:
            order.place(node)
    order.sort(trees.roots)
    return trees


def ordered_subject(mails: Mails) -> Trees:
    """THREAD=ORDEREDSUBJECT: by base subject, each thread's first message above the others, by date."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place in sorted(range(len(mails.sent)), key=mails.sent.__getitem__):
        groups[mails.subject[place]].append(place)
    first = [group[0] for group in groups.values()]
    return Trees(len(mails.sent), first, {group[0]: group[1:] for group in groups.values() if len(group) > 1})


# Steps 1 to 3 ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Forest:
    """Links between containers."""

    total: int
    parent: list[int] = field(default_factory=list)
    has_children: bytearray = field(default_factory=bytearray)

    def grow(self) -> int:
        """A new container."""
        self.parent.append(NONE)
        self.has_children.append(0)
        return len(self.parent) - 1

    def link(self, parent: int, child: int) -> None:
        """Unless that would make a loop."""
        if parent != child and not (self.has_children[child] and self._is_above(child, parent)):
            self.parent[child] = parent
            self.has_children[parent] = 1

    def _is_above(self, ancestor: int, node: int) -> bool:
        for _ in range(MAX_CLIMB):
            if node == ancestor:
                return True
            node = self.parent[node]
            if node == NONE:
                return False
        return True


def _linked(mails: Mails) -> _Forest:
    """Step 1."""
    total = len(mails.own)
    forest = _Forest(total, [NONE] * total, bytearray(total))
    table: dict[int, int] = {}
    for place, own in enumerate(mails.own):
        if own:
            table.setdefault(own, place)  # one that comes again is a message of its own
    for place, ancestors in enumerate(mails.ancestors):
        if not ancestors:
            forest.parent[place] = NONE
            continue
        above = NONE
        for each in ancestors:
            node = table.get(each)
            if node is None:
                node = table[each] = forest.grow()
            if above != NONE and forest.parent[node] == NONE:
                forest.link(above, node)
            above = node
        forest.parent[place] = NONE
        forest.link(above, place)
    return forest


def _pruned(forest: _Forest) -> Trees:
    """Steps 2 and 3: messages alone, but for dummies at the root with several children."""
    total = forest.total
    children: dict[int, list[int]] = defaultdict(list)
    roots: list[int] = []
    tops: dict[int, int] = {}
    for place in range(total):
        above = forest.parent[place]
        if above >= total:
            above = _nearest(forest, above, tops)
        if above == NONE:
            roots.append(place)
        else:
            children[above].append(place)
    for dummy in [node for node in children if node >= total]:
        if len(children[dummy]) == 1:
            roots += children.pop(dummy)
        else:
            roots.append(dummy)
    return Trees(total, roots, children)


def _nearest(forest: _Forest, node: int, tops: dict[int, int]) -> int:
    """From a dummy up to the container that its children lie in when dummies between are gone: a message, or the dummy at
    the root. `tops` remembers it for every dummy that was passed."""
    passed: list[int] = []
    while node >= forest.total and forest.parent[node] != NONE:
        if node in tops:
            node = tops[node]
            break
        passed.append(node)
        node = forest.parent[node]
    tops.update(dict.fromkeys(passed, node))
    return node


# Steps 4 to 6 ---------------------------------------------------------------------------------------


class _Order:
    """Siblings by date, those of one moment by number. A dummy is where its first child is (only roots are dummies)."""

    def __init__(self, mails: Mails, trees: Trees) -> None:
        self.trees = trees
        last = max(trees.children, default=0)
        self.sent = [*mails.sent, *[0] * (last + 1 - trees.total)]
        self.number = list(range(len(self.sent)))
        for node in trees.children:
            if node >= trees.total:
                self.place(node)

    def place(self, dummy: int) -> None:
        """Give a dummy its date and number."""
        while len(self.sent) <= dummy:
            self.sent.append(0)
            self.number.append(0)
        self.sent[dummy], self.number[dummy] = min(
            (self.sent[each], self.number[each]) for each in self.trees.children[dummy]
        )

    def first(self, node: int) -> int:
        """The message that stands for a root."""
        return self.number[node]

    def sort(self, siblings: list[int]) -> None:
        """In place."""
        siblings.sort(key=self.number.__getitem__)
        siblings.sort(key=self.sent.__getitem__)


def _gather(mails: Mails, trees: Trees, order: _Order) -> None:
    """Step 5: roots of one subject become one thread."""
    subjects = [mails.subject[order.first(node)] for node in trees.roots]
    counted = Counter(subjects)
    several = [(node, key) for node, key in zip(trees.roots, subjects, strict=True) if key and counted[key] > 1]
    table = _table(mails, trees, several)
    fresh = count(len(order.sent))
    replaced: dict[int, int] = {}
    merged: set[int] = set()
    for node, key in several:
        chosen = table[key]
        if chosen == node or node in replaced:
            continue
        merged.add(node)
        if chosen >= trees.total:
            trees.children[chosen] += trees.children.pop(node) if node >= trees.total else [node]
        elif node < trees.total and mails.is_reply[node] and not mails.is_reply[chosen]:
            trees.children.setdefault(chosen, []).append(node)
        else:
            replaced[chosen] = table[key] = dummy = next(fresh)
            trees.children[dummy] = [chosen, node]
    trees.roots = [replaced.get(node, node) for node in trees.roots if node not in merged]


def _table(mails: Mails, trees: Trees, several: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Step 5.B: the root that others of its subject join; a dummy before a message, an original before a reply."""
    table: dict[int, int] = {}
    for node, key in several:
        known = table.setdefault(key, node)
        if known == node or known >= trees.total:
            continue
        if node >= trees.total or (mails.is_reply[known] and not mails.is_reply[node]):
            table[key] = node
    return table


def written(trees: Trees, names: Sequence[str]) -> str:
    """`(1)(2 3 (4)(5))`: the thread lists of RFC 5256 4; `names` are what messages are called."""
    out: list[str] = []
    children = trees.children
    waiting: list[int | str] = list(reversed(trees.roots))
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            out.append(item)
            continue
        below = children.get(item)
        if not below:
            out.append(f"({names[item]})")
            continue
        words = [names[item]] if item < trees.total else []
        while below and len(below) == 1:
            words.append(names[below[0]])
            below = children.get(below[0])
        out.append("(" + " ".join(words) + (" " if words and below else ""))
        waiting.append(")")
        waiting += reversed(below or ())
    return "".join(out)
