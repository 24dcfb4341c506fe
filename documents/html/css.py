"""CSS of mail: style attributes and style sheets with everything taken out that loads, hides over or runs.

Values are checked token by token with tinycss2, because HTML sanitisers look at property names only. What is not
on the lists goes. Style sheets are written again with each selector put under one class, so that they can't reach
what is around the mail.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import tinycss2  # type: ignore[import-untyped]

MAX_STYLE_CHARS = 8_000
MAX_SHEET_CHARS = 200_000
MAX_RULES = 3_000
MAX_DEPTH = 20

_PROPERTIES = frozenset(
    [
        "align-content",
        "align-items",
        "align-self",
        "background",
        "background-attachment",
        "background-clip",
        "background-color",
        "background-origin",
        "background-position",
        "background-repeat",
        "background-size",
        "border-collapse",
        "border-spacing",
        "bottom",
        "box-shadow",
        "box-sizing",
        "caption-side",
        "clear",
        "clip",
        "color",
        "column-count",
        "column-gap",
        "column-rule",
        "columns",
        "direction",
        "display",
        "empty-cells",
        "flex",
        "flex-basis",
        "flex-direction",
        "flex-flow",
        "flex-grow",
        "flex-shrink",
        "flex-wrap",
        "float",
        "gap",
        "height",
        "justify-content",
        "left",
        "letter-spacing",
        "line-break",
        "line-height",
        "list-style",
        "list-style-position",
        "list-style-type",
        "max-height",
        "max-width",
        "min-height",
        "min-width",
        "object-fit",
        "opacity",
        "order",
        "orphans",
        "outline",
        "outline-color",
        "outline-style",
        "outline-width",
        "overflow",
        "overflow-wrap",
        "overflow-x",
        "overflow-y",
        "padding",
        "position",
        "quotes",
        "right",
        "row-gap",
        "table-layout",
        "text-align",
        "text-align-last",
        "text-decoration",
        "text-decoration-color",
        "text-decoration-line",
        "text-decoration-style",
        "text-indent",
        "text-overflow",
        "text-shadow",
        "text-transform",
        "text-underline-offset",
        "top",
        "unicode-bidi",
        "vertical-align",
        "visibility",
        "white-space",
        "widows",
        "width",
        "word-break",
        "word-spacing",
        "word-wrap",
        "writing-mode",
        "z-index",
        "-webkit-text-size-adjust",
        "-ms-text-size-adjust",
        "mso-line-height-rule",
        "mso-table-lspace",
        "mso-table-rspace",
        "page-break-after",
        "page-break-before",
        "page-break-inside",
    ]
)
_PREFIXES = ("border-", "font", "margin", "padding-")
_FUNCTIONS = frozenset(
    [
        "rgb",
        "rgba",
        "hsl",
        "hsla",
        "hwb",
        "lab",
        "lch",
        "calc",
        "min",
        "max",
        "clamp",
        "linear-gradient",
        "radial-gradient",
        "repeating-linear-gradient",
        "repeating-radial-gradient",
    ]
)
_KEYWORDS_REFUSED = {"position": frozenset({"fixed", "absolute", "sticky", "-webkit-sticky"})}
_MEDIA = re.compile(r"[\w\s:(),.<>=/-]*")
# Vendor words in values that old engines run: "expression" is a function, these are not.
_SUSPICIOUS = re.compile(r"(?i)expression|javascript|vbscript|behaviou?r|-moz-binding|@import|</|<!--|\\")


@functools.lru_cache(maxsize=4096)
def clean_style(style: str) -> str:
    """The declarations of a style attribute that may stay, as text; empty when none may."""
    if len(style) > MAX_STYLE_CHARS:
        return ""
    return _declarations(tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True))


def _declarations(nodes: Iterable[Any]) -> str:
    kept = [_declaration(node) for node in nodes if node.type == "declaration"]
    return "; ".join(filter(None, kept))


def _declaration(node: Any) -> str:
    name = node.lower_name
    if name not in _PROPERTIES and not (name.startswith(_PREFIXES) or name == "border"):
        return ""
    if not _safe(node.value, _KEYWORDS_REFUSED.get(name, frozenset()), 0):
        return ""
    value = tinycss2.serialize(node.value).strip()
    if not value or len(value) > 2_000 or _SUSPICIOUS.search(value) or "<" in value:
        return ""
    return f"{name}: {value}{' !important' if node.important else ''}"


def _safe(tokens: Sequence[Any], refused: frozenset[str], depth: int) -> bool:
    """Whether no token loads anything, is broken, or is a refused keyword."""
    if depth > MAX_DEPTH:
        return False
    for token in tokens:
        if token.type in ("url", "error", "at-keyword", "{} block", "[] block", "comment"):
            return False
        if token.type == "ident" and token.lower_value in refused:
            return False
        if token.type == "function":
            if token.lower_name not in _FUNCTIONS or not _safe(token.arguments, refused, depth + 1):
                return False
        elif token.type == "() block" and not _safe(token.content, refused, depth + 1):
            return False
    return True


def clean_sheet(sheet: str, *, scope: str = "") -> str:
    """A style sheet with its safe rules; each selector under `scope` (such as ".mail-body") when given."""
    if not sheet.strip():
        return ""
    rules = tinycss2.parse_stylesheet(sheet[:MAX_SHEET_CHARS], skip_comments=True, skip_whitespace=True)
    return "\n".join(filter(None, (_rule(rule, scope) for rule in rules[:MAX_RULES])))


def _rule(rule: Any, scope: str) -> str:
    if rule.type == "qualified-rule":
        return _qualified(rule, scope)
    if rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content:
        return _media(rule, scope)
    return ""


def _media(rule: Any, scope: str) -> str:
    query = tinycss2.serialize(rule.prelude).strip()
    if not _MEDIA.fullmatch(query) or len(query) > 400 or "</" in query:
        return ""
    inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
    kept = [_qualified(r, scope) for r in inner[:MAX_RULES] if r.type == "qualified-rule"]
    body = "\n".join(filter(None, kept))
    return f"@media {query} {{\n{body}\n}}" if body else ""


def _qualified(rule: Any, scope: str) -> str:
    selectors = [_selector(part, scope) for part in _split(rule.prelude)]
    if not all(selectors):
        # One that can't be read makes the whole rule void in CSS too.
        return ""
    declarations = _declarations(tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True))
    return f"{', '.join(selectors)} {{ {declarations} }}" if declarations else ""


def _split(prelude: Sequence[Any]) -> list[list[Any]]:
    parts: list[list[Any]] = [[]]
    for token in prelude:
        if token == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts[:200]


_SELECTOR_TOKENS = frozenset({"ident", "hash", "literal", "whitespace", "[] block", "function", "string", "number"})
_ROOT = re.compile(r"^(?:(?:html|body|:root)(?=[\s.#:\[>]|$)\s*)+", re.IGNORECASE)


def _selector(tokens: Sequence[Any], scope: str) -> str:
    if any(token.type not in _SELECTOR_TOKENS for token in tokens):
        return ""
    if any(token.type == "function" and token.lower_name not in ("not", "nth-child", "lang", "is") for token in tokens):
        return ""
    text: str = tinycss2.serialize(tokens).strip()
    if not text or len(text) > 1_000 or _SUSPICIOUS.search(text.replace("\\", "")) or "<" in text or "{" in text:
        return ""
    if not scope:
        return text
    inner = _ROOT.sub("", text)
    if inner == text:
        return f"{scope} {text}"
    return f"{scope}{inner}" if inner[:1] in (".", "#", ":", "[") else f"{scope} {inner}".strip()
