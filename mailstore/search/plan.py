"""How a question is answered: which part the index answers, which part SQL, and what is left to be looked at row by row.

Pure. A question whose words the index can answer is driven by the index, newest first, and SQL filters what it finds.
Any other is driven by the folders' date indexes. What mixes both kinds under OR, or turns words around without a word
beside them, is evaluated for each row of a batch: every leaf is asked once for the batch.
"""

from __future__ import annotations

import dataclasses

from mailstore.search.document import PREFIXES
from mailstore.search.expression import Either, Every, Expression, Phrase
from mailstore.search.tree import And, In, Node, Not, Or, Text, all_of, any_of, leaves, opposite
from mailstore.search.words import asked


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """`words` drive the search (None: the folders do). All of `facts` and of `mixed` must hold too."""

    words: Expression | None
    facts: tuple[Node, ...]
    mixed: tuple[Node, ...]
    names_folder: bool
    """A folder is wished for by name: nothing is left out by default then."""


def plan(tree: Node, *, by_rows: bool = False) -> Plan | None:
    """None for a question without anything to look for. With `by_rows` the folders drive although there are words."""
    tree_or_none = meaningful(tree)
    if tree_or_none is None:
        return None
    parts = tree_or_none.parts if isinstance(tree_or_none, And) else (tree_or_none,)
    facts = tuple(part for part in parts if not _has_text(part))
    rest = [part for part in parts if _has_text(part)]
    names_folder = any(isinstance(leaf, In) and is_positive for leaf, is_positive in leaves(tree_or_none))
    wanted = [found for part in rest if (found := expression(part)) is not None]
    if by_rows or not wanted:
        return Plan(None, facts, tuple(rest), names_folder)
    unwanted = [found for part in rest if isinstance(part, Not) and (found := expression(part.part)) is not None]
    mixed = tuple(
        part
        for part in rest
        if expression(part) is None and not (isinstance(part, Not) and expression(part.part) is not None)
    )
    return Plan(_every(wanted, unwanted), facts, mixed, names_folder)


def meaningful(node: Node) -> Node | None:
    """The tree without texts that have no words ("-", "!!")."""
    if isinstance(node, Not):
        inner = meaningful(node.part)
        return opposite(inner) if inner is not None else None
    if isinstance(node, And | Or):
        parts = [found for part in node.parts if (found := meaningful(part)) is not None]
        return all_of(parts) if isinstance(node, And) else any_of(parts)
    return None if isinstance(node, Text) and asked(node.value) is None else node


def expression(node: Node) -> Expression | None:
    """What the index is asked for a part; None when it can't answer it alone."""
    if isinstance(node, Text):
        return _phrase(node)
    if isinstance(node, Or):
        parts = [expression(part) for part in node.parts]
        known = tuple(part for part in parts if part is not None)
        return Either(known) if len(known) == len(parts) else None
    if isinstance(node, And):
        wanted = [found for part in node.parts if (found := expression(part)) is not None]
        unwanted = [
            found for part in node.parts if isinstance(part, Not) and (found := expression(part.part)) is not None
        ]
        return _every(wanted, unwanted) if wanted and len(wanted) + len(unwanted) == len(node.parts) else None
    return None


def _every(wanted: list[Expression], unwanted: list[Expression]) -> Expression:
    return wanted[0] if len(wanted) == 1 and not unwanted else Every(tuple(wanted), tuple(unwanted))


def _phrase(text: Text) -> Phrase | None:
    found = asked(text.value)
    if found is None:
        return None
    prefix = PREFIXES[text.field]
    return Phrase(tuple(prefix + token for token in found.tokens), found.is_prefix or text.is_prefix)


def _has_text(node: Node) -> bool:
    return any(isinstance(leaf, Text) for leaf, _ in leaves(node))
