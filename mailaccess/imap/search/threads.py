"""The trees of THREAD (RFC 5256 3): REFERENCES and ORDEREDSUBJECT, of plain values, without recursion.

Containers are numbers: below `total` the messages by their place, above it the ids that are only referred to, then the
dummies that join threads of one subject. A chain of 100,000 answers is as good as any other mail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MAX_CLIMB = 10_000
"""Steps up a tree when a loop is looked for; beyond, a link is taken for one."""
NONE = -1


@dataclass(frozen=True, slots=True)
class Mail:
    """What a message is threaded by: its own id (0: none), those of its ancestors, its base subject's number (0: empty),
    whether it is a reply or forward, and when it was sent."""

    own: int
    ancestors: Sequence[int]
    subject: int
    is_reply: bool
    sent: int


@dataclass(slots=True)
class Forest:
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


@dataclass(slots=True)
class Trees:
    """Roots and their children; containers from `total` on are dummies."""

    total: int
    roots: list[int]
    children: dict[int, list[int]]


def references(mails: Sequence[Mail]) -> Trees:
    """THREAD=REFERENCES, steps 1 to 6."""
    trees = _pruned(_linked(mails))
    sent = _Sent(mails, trees)
    trees.roots.sort(key=sent)
    _gather(mails, trees)
    for siblings in trees.children.values():
        siblings.sort(key=sent)
    trees.roots.sort(key=sent)
    return trees


def ordered_subject(mails: Sequence[Mail]) -> Trees:
    """THREAD=ORDEREDSUBJECT: by base subject, each thread's first message above the others, by date."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place in sorted(range(len(mails)), key=lambda place: mails[place].sent):
        groups[mails[place].subject].append(place)
    first = [group[0] for group in groups.values()]
    return Trees(len(mails), first, {group[0]: group[1:] for group in groups.values() if len(group) > 1})


class _Sent:
    """When a container was sent: of a dummy, its first child's (only roots are dummies); then the message number."""

    def __init__(self, mails: Sequence[Mail], trees: Trees) -> None:
        self.mails = mails
        self.trees = trees

    def __call__(self, node: int) -> tuple[int, int]:
        if node < len(self.mails):
            return self.mails[node].sent, node
        return min(map(self, self.trees.children[node]))


def _linked(mails: Sequence[Mail]) -> Forest:
    """Step 1."""
    forest = Forest(len(mails), [NONE] * len(mails), bytearray(len(mails)))
    table: dict[int, int] = {}
    for place, mail in enumerate(mails):
        if mail.own:
            table.setdefault(mail.own, place)  # one that comes again is a message of its own
    for place, mail in enumerate(mails):
        above = NONE
        for each in mail.ancestors:
            node = table.get(each)
            if node is None:
                node = table[each] = forest.grow()
            if above != NONE and forest.parent[node] == NONE:
                forest.link(above, node)
            above = node
        forest.parent[place] = NONE
        if above != NONE:
            forest.link(above, place)
    return forest


def _pruned(forest: Forest) -> Trees:
    """Steps 2 and 3: messages alone, but for dummies at the root with several children."""
    total = forest.total
    children: dict[int, list[int]] = defaultdict(list)
    roots: list[int] = []
    tops: dict[int, int] = {}
    for place in range(total):
        above = _nearest(forest, place, tops)
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


def _nearest(forest: Forest, place: int, tops: dict[int, int]) -> int:
    """The container that a message lies in when dummies between are gone: a message, or the dummy at its root. `tops`
    remembers it for every dummy that was passed."""
    node = forest.parent[place]
    passed: list[int] = []
    while node >= forest.total and forest.parent[node] != NONE:
        if node in tops:
            node = tops[node]
            break
        passed.append(node)
        node = forest.parent[node]
    tops.update(dict.fromkeys(passed, node))
    return node


def _gather(mails: Sequence[Mail], trees: Trees) -> None:
    """Step 5: roots of one subject become one thread."""
    subject = _Subjects(mails, trees)
    table: dict[int, int] = {}
    for node in trees.roots:
        key = subject.of(node)
        if key and (key not in table or subject.is_better(node, table[key])):
            table[key] = node
    dummy = max(trees.children, default=0) + trees.total
    replaced: dict[int, int] = {}
    merged: set[int] = set()
    for node in trees.roots:
        key = subject.of(node)
        chosen = table.get(key, node) if key else node
        if chosen == node or node in replaced:
            continue
        merged.add(node)
        if subject.is_dummy(chosen):
            trees.children[chosen] += trees.children.pop(node) if subject.is_dummy(node) else [node]
        elif subject.is_reply(node) and not subject.is_reply(chosen):
            trees.children.setdefault(chosen, []).append(node)
        else:
            dummy += 1
            trees.children[dummy] = [chosen, node]
            replaced[chosen] = table[key] = dummy
    trees.roots = [replaced.get(node, node) for node in trees.roots if node not in merged]


class _Subjects:
    """Subjects of roots: of a dummy, its first child's."""

    def __init__(self, mails: Sequence[Mail], trees: Trees) -> None:
        self.mails = mails
        self.trees = trees
        self.made: dict[int, int] = {}
        self.sent = _Sent(mails, trees)

    def is_dummy(self, node: int) -> bool:
        return node >= len(self.mails)

    def is_reply(self, node: int) -> bool:
        return not self.is_dummy(node) and self.mails[node].is_reply

    def of(self, node: int) -> int:
        if not self.is_dummy(node):
            return self.mails[node].subject
        if node not in self.made:
            self.made[node] = self.mails[min(self.trees.children[node], key=self.sent)].subject
        return self.made[node]

    def is_better(self, node: int, known: int) -> bool:
        """Step 5.B.iv."""
        if self.is_dummy(known):
            return False
        return self.is_dummy(node) or (self.mails[known].is_reply and not self.is_reply(node))


def written(trees: Trees, shown: Callable[[int], int]) -> str:
    """`(1)(2 3 (4)(5))`: the thread lists of RFC 5256 4."""
    out: list[str] = []
    waiting: list[int | str] = list(reversed(trees.roots))
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            out.append(item)
            continue
        words: list[str] = []
        below: Sequence[int] = [item]
        while len(below) == 1:
            node = below[0]
            if node < trees.total:
                words.append(str(shown(node)))
            below = trees.children.get(node, ())
        out.append("(" + " ".join(words) + (" " if words and below else ""))
        waiting.append(")")
        waiting += reversed(below)
    return "".join(out)
