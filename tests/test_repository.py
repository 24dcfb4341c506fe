"""The tree keeps its own rules: sizes, layers, mirrors, translations, and what the documents say of it."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Account
from tests.repository import ROOT, code, tracked
from webmail.demo import company

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINTER = PROJECT["tool"]["importlinter"]
READMES = ("README.md", "README.zh-CN.md")
SETTINGS_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_no_file_is_over_500_lines_and_nine_of_ten_are_under_350() -> None:
    paths = [*code(".py", ".js", ".css", ".html"), *(path for path in tracked() if re.match(r"tests/.*\.py$", path))]
    lines = {path: len((ROOT / path).read_text().splitlines()) for path in paths}
    assert {path: count for path, count in lines.items() if count > 500} == {}
    assert share_above(350, list(lines.values())) <= 0.1


def test_no_function_is_over_60_lines_and_half_are_under_10() -> None:
    lengths = {place: length for path in code(".py") for place, length in functions(path)}
    assert {place: length for place, length in lengths.items() if length > 60} == {}
    assert statistics.median(lengths.values()) < 10
    assert share_above(30, list(lengths.values())) <= 0.1


def test_no_text_is_translated_before_its_reader_is_known() -> None:
    """Outside functions `gettext` speaks the language of the process, to everybody: there texts are lazy."""
    early = {place for path in code(".py") for place in eager_texts(path)}
    assert early == set()


def eager_texts(path: str) -> set[str]:
    """Where a module translates while it is imported."""
    tree = ast.parse((ROOT / path).read_text())
    names = {
        each.asname or each.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for each in node.names
        if each.name in {"gettext", "ngettext", "pgettext", "npgettext"}
    }
    waiting: list[ast.AST] = [tree]
    found = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            found.add(f"{path}:{node.lineno}")
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def test_no_test_is_over_60_lines() -> None:
    tests = [path for path in tracked() if re.match(r"tests/.*\.py$", path)]
    assert {place: length for path in tests for place, length in functions(path) if length > 60} == {}


def test_every_package_is_in_the_layers_and_has_its_tests() -> None:
    packages = {path.split("/")[0] for path in tracked() if re.fullmatch(r"\w+/__init__\.py", path)}
    packages -= {"tests", "bench", "deploy"}
    assert set(LINTER["root_packages"]) == packages
    layers = {name.strip() for layer in LINTER["contracts"][0]["layers"] for name in re.split(r"[|:]", layer)}
    assert layers == packages
    tested = {path.split("/")[1] for path in tracked() if re.fullmatch(r"tests/\w+/.*test_\w+\.py", path)}
    assert packages - tested == set()


def test_translations_are_extracted_from_every_package() -> None:
    source = (ROOT / "deploy" / "messages.py").read_text()
    assert set(re.findall(r'"(\w+)"', re.search(r"PACKAGES = \(([^)]*)\)", source)[1])) == set(LINTER["root_packages"])


def test_every_text_has_its_chinese_and_every_chinese_its_text() -> None:
    done = subprocess.run(
        [sys.executable, "deploy/messages.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_the_migrations_are_in_step_with_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_only_settings_reads_the_environment() -> None:
    readers = {
        path
        for path in code(".py")
        if reads_environment(path) and not path.startswith(("deploy/", "bench/", "webmail/soak/"))
    }
    assert readers == {"webmail/settings.py"}


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_lists_every_variable_with_its_default(readme: str) -> None:
    rows = {name: (default.strip("` "), unit) for name, default, unit, _ in SETTINGS_ROW.findall(text_of(readme))}
    read = dict(settings_read())
    assert set(rows) == set(read)
    wrong = {name: (rows[name][0], said) for name, said in read.items() if said is not None and rows[name][0] != said}
    assert wrong == {}
    assert all(unit.strip() for _, unit in rows.values())


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_lists_who_can_sign_in_to_the_demo(readme: str) -> None:
    text = text_of(readme)
    people = [each for each in company.COLLEAGUES if each.kind == Account.Kind.PERSON]
    listed = re.findall(r"^\| `([\w.]+@example\.test)` \| ([^|]*) \|", text, re.MULTILINE)
    assert [address for address, _ in listed] == [each.address for each in people]
    assert all(each.name in who for (_, who), each in zip(listed, people, strict=True))
    assert f"`{company.PASSWORD}`" in text


def test_both_readmes_have_the_same_tables() -> None:
    assert [row[:2] for row in SETTINGS_ROW.findall(text_of(READMES[0]))] == [
        row[:2] for row in SETTINGS_ROW.findall(text_of(READMES[1]))
    ]


def test_every_make_target_is_explained() -> None:
    makefile = text_of("Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    assert targets == phony
    assert set(re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE)) == targets
    described = set(re.findall(r"`make ([a-z]+)", text_of("CONTRIBUTING.md")))
    assert targets - {"help"} <= described <= targets
    for readme in READMES:
        assert set(re.findall(r"make ([a-z]+)`?", text_of(readme))) & {"demo", "test"} == {"demo", "test"}


def test_ci_runs_the_readmes_test_command() -> None:
    assert "\nmake test\n" in text_of(".ci/run")


@pytest.mark.parametrize("path", [path for path in sorted(tracked()) if path.endswith(".md")])
def test_links_between_documents_lead_somewhere(path: str) -> None:
    folder = (ROOT / path).parent
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", text_of(path))
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("path", ["ARCHITECTURE.md", "SECURITY.md", "docs/operating.md"])
def test_files_that_a_document_names_exist(path: str) -> None:
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|html|js|css|md|txt))`", text_of(path)))
    assert named
    assert named - tracked() == set()


def test_no_comment_leads_to_a_document_that_is_not_here() -> None:
    here = {path.rpartition("/")[2] for path in tracked()}
    for path in [*code(".py", ".js", ".css", ".html"), *(path for path in tracked() if path.startswith("tests/"))]:
        if path.endswith((".py", ".js", ".css", ".html")):
            named = set(re.findall(r"(?<![\w.*/{}-])([\w.-]+\.md)\b", text_of(path)))
            assert named <= here, path


def test_decisions_are_numbered_without_gaps_and_of_one_form() -> None:
    records = sorted(path for path in tracked() if path.startswith("docs/adr/"))
    assert [int(path.split("/")[-1][:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = text_of(path)
        assert re.match(rf"# {int(path.split('/')[-1][:4])}\. \S", text), path
        assert all(part in text for part in ("\nStatus: ", "\n## Context", "\n## Decision", "\n## Consequences")), path
        assert len(text.splitlines()) <= 60, path


TEMPLATES = [path for path in sorted(tracked()) if path.startswith("templates/")]
OF_THE_MAIL = {"templates/webmail/message_body.html"}
"""The mail's own document: no script runs in it, and its sheet is the mail's (webmail/views/body.py)."""


@pytest.mark.parametrize("path", TEMPLATES)
def test_a_template_has_no_inline_script_or_style(path: str) -> None:
    text = text_of(path)
    assert re.findall(r"(?i)\son[a-z]+\s*=|javascript:|<script(?![^>]*\bsrc=)", text) == []
    if path not in OF_THE_MAIL:
        assert re.findall(r"(?i)<style\b|\sstyle\s*=", text) == []


@pytest.mark.parametrize("path", TEMPLATES)
def test_a_template_says_nothing_in_one_language_only(path: str) -> None:
    chinese = re.findall(
        r"[\u4e00-\u9fff]+", re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", text_of(path))
    )
    assert set(chinese) <= {"中文", "简体中文"}  # the name of a language is in that language


def text_of(path: str) -> str:
    """A file of the tree."""
    return (ROOT / path).read_text()


def functions(path: str) -> list[tuple[str, int]]:
    """Every function of a module and its length in lines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, kinds)]
    return [(f"{path}:{node.name}", (node.end_lineno or 0) - node.lineno + 1) for node in found]


def share_above(limit: int, values: list[int]) -> float:
    """Which part of the values is greater."""
    return sum(value > limit for value in values) / len(values)


def reads_environment(path: str) -> bool:
    """Whether a module asks for a variable; naming the settings module and handing all on to a child is no asking."""
    return bool(re.search(r"os\.environ(\[|\.get|\.pop)|os\.getenv|\benviron\.Env", text_of(path)))


def settings_read() -> list[tuple[str, str | None]]:
    """Every `env.kind("NAME", default=…)` of the settings, with the default as the README writes it (None: computed)."""
    calls = [node for node in ast.walk(ast.parse(text_of("webmail/settings.py"))) if isinstance(node, ast.Call)]
    return [
        (call.args[0].value, written(next(word.value for word in call.keywords if word.arg == "default")))
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    ]


def written(default: ast.expr) -> str | None:
    """A literal or a sum of literals as text; None for what is computed from other settings."""
    try:
        value = eval(compile(ast.Expression(default), "default", "eval"), {"__builtins__": {}})
    except NameError:
        return None
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if value or value == 0 else "empty"
