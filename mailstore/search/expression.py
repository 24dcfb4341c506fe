"""What an index is asked: phrases of tokens, joined. Engines print it in their own syntax."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens side by side; one token is a word. With `is_prefix` the last one may go on."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Every:
    """All of them, none of `without`. `parts` is never empty: an index has no list of everything."""

    parts: tuple[Expression, ...]
    without: tuple[Expression, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Either:
    """At least one of them."""

    parts: tuple[Expression, ...]


Expression = Phrase | Every | Either
