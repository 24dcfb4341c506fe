"""The query language."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, strategies as st

from mailstore.search.query import MAX_CHARS, MAX_TERMS, ProblemKind, parse, show
from mailstore.search.tree import Age, And, Day, Field, In, Is, Label, Node, Not, Or, Size, State, Text, Unit

PIECES = [
    *("a", "b", "发票", '"', "(", ")", "-", " ", " ", "*", "：", "“", "”", "（", "NOT ", " OR ", " 或 ", "AND "),
    *(
        "from:",
        "发件人：",
        "to:(",
        "is:unread",
        "有附件",
        "larger:5M",
        "before:2026/1/2",
        "older_than:3d",
        "in:收件箱 ",
    ),
    *("x:y", "http://a", 'subject:"p q"', "label:VIP", "大于：1.5M", "-(", "\0", "\u202e"),
]
QUESTIONS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=80)
DAY = datetime.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("question", "tree"),
    [
        ("invoice", Text("invoice")),
        ("from:anna", Text("anna", Field.FROM)),
        ("发件人：王", Text("王", Field.FROM)),
        ("FROM: anna", Text("anna", Field.FROM)),
        ("收件人:li@example.com", Text("li@example.com", Field.TO)),
        ("cc:bob bcc:eve", And((Text("bob", Field.CC), Text("eve", Field.BCC)))),
        ("主题:“报价 单”", Text("报价 单", Field.SUBJECT)),
        ("filename:pdf", Text("pdf", Field.FILENAME)),
        ("list:dev", Text("dev", Field.LIST)),
        ("has:attachment", Is(State.ATTACHMENT)),
        ("有附件", Is(State.ATTACHMENT)),
        ('"有附件"', Text("有附件")),
        ("is:unread", Is(State.UNREAD)),
        ("is:read", Is(State.READ)),
        ("是:星标", Is(State.STARRED)),
        ("label:VIP", Label("VIP")),
        ("in:inbox", In("inbox")),
        ("文件夹:垃圾邮件", In("junk")),
        ('in:"My folder"', In("My folder")),
        ("before:2026/1/31", Day(DAY, is_after=False)),
        ("after:2026-01-31", Day(DAY, is_after=True)),
        ("晚于:2026年1月31日", Day(DAY, is_after=True)),
        ("after:20260131", Day(DAY, is_after=True)),
        ("after:2026/1", Day(datetime.date(2026, 1, 1), is_after=True)),
        ("older_than:3m", Age(3, Unit.MONTH, is_newer=False)),
        ("最近:7天", Age(7, Unit.DAY, is_newer=True)),
        ("larger:5M", Size(5 << 20, is_smaller=False)),
        ("大于:1.5K", Size(1536, is_smaller=False)),
        ("smaller:100", Size(100, is_smaller=True)),
        ("contr*", Text("contr", Field.ANY, is_prefix=True)),
        ("-newsletter", Not(Text("newsletter"))),
        ("NOT a", Not(Text("a"))),
        ("--a", Text("--a")),
        ("-(a b)", Not(And((Text("a"), Text("b"))))),
        ("a OR b c", And((Or((Text("a"), Text("b"))), Text("c")))),
        ("a 或 b", Or((Text("a"), Text("b")))),
        ("a or b", And((Text("a"), Text("or"), Text("b")))),
        ("（a b） OR c", Or((And((Text("a"), Text("b"))), Text("c")))),
        ("from:(anna OR -bob)", Or((Text("anna", Field.FROM), Not(Text("bob", Field.FROM))))),
        ("is:(unread starred)", And((Is(State.UNREAD), Is(State.STARRED)))),
        ("a AND b", And((Text("a"), Text("b")))),
        ("http://x.test/a", Text("http://x.test/a")),
        ("10:30", Text("10:30")),
        ("", None),
        ("()", None),
        ("OR OR", None),
    ],
)
def test_a_question_is_understood(question: str, tree: Node | None) -> None:
    parsed = parse(question)
    assert parsed.tree == tree
    assert parse(show(parsed.tree)).tree == tree


@pytest.mark.parametrize(
    ("question", "kind", "piece", "suggestion", "tree"),
    [
        ("before:soon", ProblemKind.BAD_VALUE, "before:soon", "", Text("before:soon")),
        ("before:2026/2/30", ProblemKind.BAD_VALUE, "before:2026/2/30", "", Text("before:2026/2/30")),
        ("is:blue", ProblemKind.BAD_VALUE, "is:blue", "", Text("is:blue")),
        ("larger:many", ProblemKind.BAD_VALUE, "larger:many", "", Text("larger:many")),
        ("form:anna", ProblemKind.UNKNOWN_OPERATOR, "form:", "from:", Text("form:anna")),
        ("from:", ProblemKind.NO_VALUE, "from:", "", None),
        ('"price list', ProblemKind.UNCLOSED, '"', "", Text("price list")),
        ("(a", ProblemKind.UNCLOSED, "(", "", Text("a")),
        ("a)", ProblemKind.UNCLOSED, ")", "", Text("a")),
    ],
)
def test_what_is_not_understood_is_said_and_looked_for_as_text(
    question: str, kind: ProblemKind, piece: str, suggestion: str, tree: Node | None
) -> None:
    parsed = parse(question)
    assert parsed.tree == tree
    assert [(each.kind, each.text, each.suggestion) for each in parsed.problems] == [(kind, piece, suggestion)]


@given(QUESTIONS)
def test_nothing_raises_and_what_is_printed_means_the_same(question: str) -> None:
    tree = parse(question).tree
    again = parse(show(tree))
    assert again.tree == tree
    assert show(again.tree) == show(tree)


def test_length_terms_and_depth_are_bounded() -> None:
    assert ProblemKind.TOO_LONG in {each.kind for each in parse("a" * (MAX_CHARS + 1)).problems}
    many = parse(" ".join(f"w{number}" for number in range(MAX_TERMS + 5)))
    assert isinstance(many.tree, And)
    assert len(many.tree.parts) == MAX_TERMS
    assert ProblemKind.TOO_LONG in {each.kind for each in many.problems}
    assert ProblemKind.TOO_LONG in {each.kind for each in parse("(" * 900 + "a").problems}
