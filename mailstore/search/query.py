"""The query language: Gmail's operators with Chinese names, parsed once into a tree, and printed back.

    from:anna (invoice OR 发票) -subject:"price list" has:attachment newer_than:3m 大于:5M

Words stand side by side for "and"; OR joins its two neighbours (as in Gmail, it binds closer); - or NOT in front turns
around; quotes keep words together; a * ends a word that may go on. Full-width punctuation counts as its ASCII form.
Nothing raises: what can't be understood is looked for as text, and a `Problem` says so.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import re

from mailstore.search.operators import BARE, NAMES, leaf, size_text
from mailstore.search.tree import (
    Age,
    And,
    Day,
    Field,
    In,
    Is,
    Label,
    Node,
    Not,
    Or,
    Size,
    State,
    Text,
    all_of,
    any_of,
    opposite,
)

MAX_CHARS = 1_000
MAX_TERMS = 60
MAX_DEPTH = 20

_PLAIN = str.maketrans("（）：＂“”„「」『』－＊｜\u3000", '():"""' + '"' * 5 + "-*| ")
_OR = frozenset({"OR", "|", "||", "或", "或者"})
_AND = frozenset({"AND", "&&", "且", "并且"})
_NOT = frozenset({"NOT", "非"})
_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-)(?=[^\s\-)])|\"(?P<quoted>[^\"]*)(?P<end>\"|\Z)(?P<star>\*?)"
    r"|(?P<name>[^\s()\":]+):|(?P<bare>[^\s()\"]+))"
)


class ProblemKind(enum.Enum):
    """What was not understood."""

    TOO_LONG = "too_long"
    UNCLOSED = "unclosed"
    NO_VALUE = "no_value"
    BAD_VALUE = "bad_value"
    UNKNOWN_OPERATOR = "unknown_operator"


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """Where the question was not understood: the piece, and what might have been meant."""

    kind: ProblemKind
    text: str = ""
    suggestion: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Parsed:
    """`tree` is None for a question without words."""

    tree: Node | None
    problems: tuple[Problem, ...] = ()


def parse(text: str) -> Parsed:
    """Understand a question. Takes any text, never raises; bounded by MAX_CHARS, MAX_TERMS, MAX_DEPTH."""
    parser = _Parser(text)
    tree = parser.everything()
    return Parsed(tree, tuple(dict.fromkeys(parser.problems)))


@dataclasses.dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """open, close, minus, or, and, not, operator, word."""
    text: str = ""
    is_quoted: bool = False
    is_prefix: bool = False


class _Parser:
    """Recursive descent over the tokens; `operator` is the one whose value is read."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        if len(text) > MAX_CHARS:
            self.problems.append(Problem(ProblemKind.TOO_LONG))
        clean = "".join(c if c.isprintable() else " " for c in text[:MAX_CHARS].encode("utf-8", "ignore").decode())
        self.tokens = self._tokens(clean.translate(_PLAIN))
        self.at = 0
        self.terms = 0

    def _tokens(self, text: str) -> list[_Token]:
        found: list[_Token] = []
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            if match["quoted"] is not None:
                if not match["end"]:
                    self.problems.append(Problem(ProblemKind.UNCLOSED, '"'))
                found.append(_Token("word", " ".join(match["quoted"].split()), True, bool(match["star"])))
            elif match["name"] is not None:
                found.append(self._named(match["name"]))
            elif match["bare"] is not None:
                found.append(_bare(match["bare"]))
            else:
                found.append(_Token(kind))
        return _joined(found)

    def _named(self, name: str) -> _Token:
        known = NAMES.get(name.lower())
        if known:
            return _Token("operator", known)
        close = difflib.get_close_matches(name.lower(), NAMES, n=1, cutoff=0.74)
        if close:
            self.problems.append(Problem(ProblemKind.UNKNOWN_OPERATOR, f"{name}:", f"{close[0]}:"))
        return _Token("unknown", f"{name}:")

    def everything(self) -> Node | None:
        parts: list[Node] = []
        while self.at < len(self.tokens):
            found = self.sequence("", 0)
            if found is not None:
                parts.append(found)
            if self.peek() == "close":  # one too many
                self.problems.append(Problem(ProblemKind.UNCLOSED, ")"))
                self.at += 1
        return all_of(parts)

    def peek(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def sequence(self, operator: str, depth: int) -> Node | None:
        """Everything up to a closing bracket."""
        parts: list[Node] = []
        while self.peek() not in ("", "close"):
            found = self.alternatives(operator, depth)
            if found is not None:
                parts.append(found)
        return all_of(parts)

    def alternatives(self, operator: str, depth: int) -> Node | None:
        choices = [self.unary(operator, depth)]
        while self.peek() == "or":
            self.at += 1
            if self.peek() not in ("", "close", "or", "and"):
                choices.append(self.unary(operator, depth))
        return any_of([choice for choice in choices if choice is not None])

    def unary(self, operator: str, depth: int) -> Node | None:
        turned = False
        while self.peek() in ("minus", "not"):
            turned = not turned
            self.at += 1
        found = self.atom(operator, depth)
        return opposite(found) if turned and found is not None else found

    def atom(self, operator: str, depth: int) -> Node | None:
        if self.peek() in ("", "close", "or"):
            self.at += self.peek() == "or"
            return None
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "open":
            return self.bracket(operator, depth)
        if token.kind == "operator":
            return self.value(token.text, depth)
        return self.term(operator, token) if token.kind == "word" else None

    def bracket(self, operator: str, depth: int) -> Node | None:
        if depth >= MAX_DEPTH:
            self.problems.append(Problem(ProblemKind.TOO_LONG))
            self.at = len(self.tokens)
            return None
        found = self.sequence(operator, depth + 1)
        if self.peek() == "close":
            self.at += 1
        else:
            self.problems.append(Problem(ProblemKind.UNCLOSED, "("))
        return found

    def value(self, operator: str, depth: int) -> Node | None:
        if self.peek() == "open":
            self.at += 1
            return self.bracket(operator, depth)
        if self.peek() != "word":
            self.problems.append(Problem(ProblemKind.NO_VALUE, f"{operator}:"))
            return None
        token = self.tokens[self.at]
        self.at += 1
        return self.term(operator, token)

    def term(self, operator: str, token: _Token) -> Node | None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            self.problems.append(Problem(ProblemKind.TOO_LONG))
            return None
        value = token.text
        if not value:
            if operator:
                self.problems.append(Problem(ProblemKind.NO_VALUE, f"{operator}:"))
            return None
        if not operator:
            known = None if token.is_quoted else BARE.get(value)
            return known or Text(value, Field.ANY, token.is_prefix)
        found = leaf(operator, value, is_prefix=token.is_prefix)
        if found is None:
            self.problems.append(Problem(ProblemKind.BAD_VALUE, f"{operator}:{value}"))
            return Text(f"{operator}:{value}")
        return found


def _bare(text: str) -> _Token:
    for kind, names in (("or", _OR), ("and", _AND), ("not", _NOT)):
        if text in names:
            return _Token(kind)
    stripped = text.rstrip("*")
    return _Token("word", stripped, False, stripped != text) if stripped else _Token("word", text)


def _joined(tokens: list[_Token]) -> list[_Token]:
    """What looks like an operator and is none belongs to the word behind it: "http://…", "10:30"."""
    found: list[_Token] = []
    held = ""
    for token in tokens:
        if token.kind == "unknown":
            held += token.text
        elif held and token.kind == "word" and not token.is_quoted:
            found.append(dataclasses.replace(token, text=held + token.text))
            held = ""
        else:
            if held:
                found.append(_Token("word", held))
                held = ""
            found.append(token)
    if held:
        found.append(_Token("word", held))
    return found


def show(node: Node | None) -> str:
    """The question as text; `parse` gives the same tree again."""
    if node is None:
        return ""
    if isinstance(node, And):
        return " ".join(f"({show(part)})" if isinstance(part, Or) else show(part) for part in node.parts)
    if isinstance(node, Or):
        return " OR ".join(f"({show(part)})" if isinstance(part, And) else show(part) for part in node.parts)
    if isinstance(node, Not):
        inner = show(node.part)
        return f"-({inner})" if isinstance(node.part, And | Or) else f"-{inner}"
    return _show_leaf(node)


def _show_leaf(node: Text | Is | In | Label | Day | Age | Size) -> str:
    match node:
        case Text(value, field, is_prefix):
            shown = _quoted(value) + "*" * is_prefix
            return f"{field.value}:{shown}" if field.value else shown
        case Is(State.ATTACHMENT):
            return "has:attachment"
        case Is(state):
            return f"is:{state.value}"
        case In(name):
            return f"in:{_quoted(name)}"
        case Label(name):
            return f"label:{_quoted(name)}"
        case Day(day, is_after):
            return f"{'after' if is_after else 'before'}:{day:%Y}/{day.month}/{day.day}".replace(
                f"{day:%Y}", f"{day.year:04}", 1
            )
        case Age(number, unit, is_newer):
            return f"{'newer_than' if is_newer else 'older_than'}:{number}{unit.value}"
        case Size(size_bytes, is_smaller):
            return f"{'smaller' if is_smaller else 'larger'}:{size_text(size_bytes)}"


def _quoted(value: str) -> str:
    """Bare where it would be read as one word again."""
    is_bare = re.fullmatch(r"[^\s()\":*|\-][^\s()\":*]*", value) and value not in BARE and _bare(value).kind == "word"
    return value if is_bare else f'"{value}"'
