"""HTML to text for the text/plain form of a mail, and text to HTML for showing and quoting."""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from documents.html.bound import bounded

MAX_TEXT_CHARS = 2_000_000
MAX_LINES = 100_000
MAX_QUOTE_DEPTH = 20

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "dl"])
_SKIPPED = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "template",
        "noscript",
        "textarea",
        "select",
        "object",
        "svg",
        "math",
        "iframe",
    ]
)
_SPACE = re.compile(r"[ \t\r\n\f]+")


class _Writer:
    """Lines of text while a document goes by."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line = ""
        self.quotes = 0
        self.preformatted = 0

    def text(self, value: str) -> None:
        if self.preformatted:
            first, *rest = value.replace("\r\n", "\n").split("\n")
            self.line += first
            for part in rest:
                self.end_line()
                self.line = part
            return
        folded = _SPACE.sub(" ", value)
        self.line += folded.lstrip(" ") if not self.line or self.line.endswith((" ", "\t")) else folded

    def end_line(self) -> None:
        prefix = "> " * self.quotes
        self.lines.append((prefix + self.line.rstrip()).rstrip())
        self.line = ""

    def block(self) -> None:
        if self.line.strip():
            self.end_line()
        self.line = ""

    def paragraph(self) -> None:
        self.block()
        if self.lines and self.lines[-1].strip("> "):
            self.end_line()


def html_to_text(html: str) -> str:
    """The text that people would read in `html`, with \\n line ends: quotes with "> ", lists, link addresses."""
    tree = LexborHTMLParser(bounded(html))
    writer = _Writer()
    root = tree.body or tree.root
    if root is not None:
        for event, node in _events(root):
            (_enter if event == "enter" else _leave)(writer, node)
    writer.block()
    lines = [line.replace("\xa0", " ").rstrip() for line in writer.lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")[:MAX_TEXT_CHARS]


def _events(root: LexborNode) -> Iterator[tuple[str, LexborNode]]:
    """Enter and leave of each node, without recursion: depth is the sender's choice."""
    stack: list[tuple[str, LexborNode]] = [("enter", root)]
    while stack:
        event, node = stack.pop()
        yield event, node
        if event == "leave" or node.tag in _SKIPPED:
            continue
        stack.append(("leave", node))
        child = node.last_child
        while child is not None:
            stack.append(("enter", child))
            child = child.prev


def _enter(writer: _Writer, node: LexborNode) -> None:
    tag = node.tag or ""
    if tag == "-text":
        writer.text(node.text_content or "")
    elif tag == "br":
        writer.end_line()
    elif tag == "img":
        writer.text(_alternative(node))
    elif tag in ("td", "th"):
        writer.line += "\t" if writer.line.strip() else ""
    elif tag in _BLOCKS:
        _enter_block(writer, node, tag)


def _alternative(node: LexborNode) -> str:
    alternative = (node.attributes.get("alt") or "").strip()
    return f"[{alternative}]" if alternative else ""


def _enter_block(writer: _Writer, node: LexborNode, tag: str) -> None:
    (writer.paragraph if tag in _PARAGRAPHS else writer.block)()
    if tag == "blockquote" and writer.quotes < MAX_QUOTE_DEPTH:
        writer.quotes += 1
    elif tag == "pre":
        writer.preformatted += 1
    elif tag == "li":
        writer.line = "- "
    elif tag == "hr":
        writer.line = "-" * 20
        writer.end_line()


def _leave(writer: _Writer, node: LexborNode) -> None:
    tag = node.tag or ""
    if tag == "a":
        _link(writer, node)
    elif tag in _BLOCKS:
        (writer.paragraph if tag in _PARAGRAPHS else writer.block)()
        writer.preformatted -= tag == "pre"
        if tag == "blockquote" and writer.quotes:
            _leave_quote(writer)


def _leave_quote(writer: _Writer) -> None:
    if writer.lines and not writer.lines[-1].strip("> "):
        writer.lines.pop()
    writer.quotes -= 1
    writer.end_line()


def _link(writer: _Writer, node: LexborNode) -> None:
    """The address behind a link, unless it is what the link shows."""
    href = (node.attributes.get("href") or "").strip()
    shown = (node.text() or "").strip()
    plain = href.removeprefix("mailto:").rstrip("/")
    is_told = plain in (shown, f"http://{shown}", f"https://{shown}") or shown.rstrip("/") == plain
    if shown and not is_told and href.startswith(("http://", "https://", "mailto:")):
        writer.text(f" <{href[:2_000]}>")


_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'\u3000-\u303f\uff00-\uffef]{2,2000}|(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b"
)
_TRAILING = re.compile(r"[.,;:!?)\]}'\"]+$")
_QUOTE = re.compile(r"^((?:>[ ]?)+)")


def text_to_html(text: str) -> str:
    """Text as HTML: escaped, addresses linked, line breaks and columns kept, "> " quotes as nested
    `<blockquote class="quote quote-N">` with N the depth (at most 20).
    """
    out: list[str] = []
    depth = 0
    is_start = True
    lines = text[:MAX_TEXT_CHARS].replace("\r\n", "\n").replace("\r", "\n").split("\n", MAX_LINES)
    for line in lines[:MAX_LINES]:
        wanted, content = _quote_depth(line)
        is_start = is_start or wanted != depth
        out.append(_to_depth(depth, wanted) + ("" if is_start else "<br>\n") + _linked(content))
        depth, is_start = wanted, False
    out.append(_to_depth(depth, 0))
    return f'<div class="plain-text">{"".join(out)}</div>'


def _quote_depth(line: str) -> tuple[int, str]:
    match = _QUOTE.match(line[:200])
    if not match:
        return 0, line
    return min(match[1].count(">"), MAX_QUOTE_DEPTH), line[match.end() :]


def _to_depth(depth: int, wanted: int) -> str:
    opening = "".join(f'<blockquote class="quote quote-{n}">' for n in range(depth + 1, wanted + 1))
    return "</blockquote>" * (depth - wanted) + opening


def _linked(line: str) -> str:
    pieces, position = [], 0
    for match in _URL.finditer(line):
        shown = _without_trailing(match[0])
        pieces += [_escape(line[position : match.start()]), _anchor(shown)]
        position = match.start() + len(shown)
    pieces.append(_escape(line[position:]))
    return "".join(pieces)


def _without_trailing(url: str) -> str:
    """A full stop or bracket behind an address belongs to the sentence, a closed bracket to the address."""
    shown = _TRAILING.sub("", url)
    return shown + ")" if url[len(shown) :].startswith(")") and "(" in shown else shown


def _anchor(shown: str) -> str:
    href = shown if shown.startswith("http") else f"http://{shown}" if shown.startswith("www.") else f"mailto:{shown}"
    return f'<a href="{_escape(href)}" target="_blank" rel="noopener noreferrer nofollow">{_escape(shown)}</a>'


def _escape(text: str) -> str:
    escaped = html_module.escape(text.replace("\0", ""))
    return escaped.replace("\t", " &nbsp; &nbsp;").replace("  ", " &nbsp;") if "  " in text or "\t" in text else escaped
