"""The first run: a domain and an account from the command line."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, Domain
from accounts.sign_in import sign_in
from tests.factories import PASSWORD, make_account, make_domain

pytestmark = pytest.mark.django_db

Terminal = Callable[..., None]


class FakeInput(io.StringIO):
    """Standard input that is a terminal or is not."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Somebody who answers questions in their order."""

    def sit_down(*answers: str, passwords: tuple[str, ...] = ()) -> None:
        said, hidden = iter(answers), iter(passwords)
        monkeypatch.setattr("sys.stdin", FakeInput(terminal=True))
        monkeypatch.setattr("builtins.input", lambda _question: next(said))
        monkeypatch.setattr("getpass.getpass", lambda _question: next(hidden))

    return sit_down


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("sys.stdin", FakeInput())
    yield


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out, no_color=True, **options)
    return out.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return str(error.value)


def test_a_domain_is_made_and_the_next_step_named() -> None:
    said = run("create_domain", "Example.Test", "--title", "Example", "--language", "en")
    domain = Domain.objects.get(name="example.test")
    assert (domain.title, domain.language) == ("Example", "en")
    assert "create_account admin@example.test" in said


def test_a_domain_is_asked_for(terminal: Terminal) -> None:
    terminal("例子.test", "示例公司")
    run("create_domain")
    assert Domain.objects.get(name="xn--fsqu00a.test").title == "示例公司"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create_domain"], "Name the domain"),
        (["create_domain", "localhost"], "no valid domain"),
        (["create_domain", "taken.test"], "already a domain"),
        (["create_domain", "new.test", "--time-zone", "Mars/Olympus"], "no valid time zone"),
        (["create_account", "no address", "--generate-password"], "is no address"),
        (["create_account", "a@nowhere.test", "--generate-password"], "create_domain nowhere.test"),
        (["create_account", "all@taken.test", "--generate-password"], "already in use"),
        (["create_account", "a+b@taken.test", "--generate-password"], "no valid local part"),
        (["create_account", "a@taken.test"], "No terminal"),
        (["create_account"], "No terminal"),
    ],
)
def test_what_is_impossible_is_explained(arguments: list[str], sentence: str) -> None:
    make_domain("taken.test")
    assert sentence in refused(*arguments)
    assert not Account.objects.exclude(kind="system").exists()


def test_without_a_domain_the_next_step_is_named() -> None:
    assert "create_domain" in refused("create_account")


def test_a_generated_password_signs_in() -> None:
    make_domain("example.test")
    said = run("create_account", "alice@example.test", "--name", "Alice", "--generate-password")
    password = next(line.removeprefix("Password: ") for line in said.splitlines() if line.startswith("Password: "))
    who = sign_in("alice@example.test", password, host=None, protocol="web", remote_address="192.0.2.1")
    assert who.account.name == "Alice"
    assert "/admin/" not in said


def test_a_password_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    make_domain("example.test")
    monkeypatch.setattr("sys.stdin", FakeInput("password1\n"))
    assert "attacker" in refused("create_account", "alice@example.test", "--password-stdin")
    monkeypatch.setattr("sys.stdin", FakeInput(f"{PASSWORD}\n"))
    said = run("create_account", "alice@example.test", "--password-stdin", "--role", "domain_admin")
    assert PASSWORD not in said
    assert "/admin/" in said


def test_the_first_account_that_is_asked_for_is_the_operators(terminal: Terminal) -> None:
    make_domain("example.test")
    weak, different = "password1", ("quite new 77", "quite new 78")
    terminal("root@example.test", "", "", passwords=(weak, *different, PASSWORD, PASSWORD))
    said = run("create_account")
    account = Account.objects.get(address="root@example.test")
    assert (account.role, account.name) == (Account.Role.OPERATOR, "root")
    assert "attacker" in said
    assert "different" in said
    terminal("alice@example.test", "Alice", "", passwords=(PASSWORD, PASSWORD))
    run("create_account")
    assert Account.objects.get(name="Alice").role == Account.Role.MEMBER


def test_three_weak_passwords_are_enough(terminal: Terminal) -> None:
    make_domain("example.test")
    terminal("root@example.test", "", "", passwords=("password1",) * 3)
    assert "No password" in refused("create_account")


def test_a_name_that_is_no_domain_or_taken_is_asked_for_again(terminal: Terminal) -> None:
    make_domain("taken.test")
    terminal("not a domain", "taken.test", "free.test", "")
    said = run("create_domain")
    assert "'not a domain' is no valid domain" in said
    assert "taken.test is already a domain" in said
    assert Domain.objects.filter(name="free.test").exists()


def test_an_address_that_can_not_be_is_asked_for_again_before_the_password(terminal: Terminal) -> None:
    make_account("alice@example.test")
    terminal("eve@elsewhere.test", "alice@example.test", "eve", "Eve", "", passwords=(PASSWORD, PASSWORD))
    said = run("create_account")
    assert "elsewhere.test is not a domain of this system" in said
    assert "alice@example.test is already in use" in said
    assert Account.objects.get(address="eve@example.test").name == "Eve"


@pytest.mark.parametrize("command", ["create_domain", "create_account"])
def test_who_answers_wrong_three_times_is_let_go(terminal: Terminal, command: str) -> None:
    make_domain("example.test")
    terminal("a b", "a b", "a b")
    assert refused(command).startswith("No ")


@pytest.mark.parametrize("command", ["create_domain", "create_account"])
def test_a_terminal_that_hangs_up_is_no_traceback(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    make_domain("example.test")
    terminal()

    def hung_up(_question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", hung_up)
    assert refused(command) == "Nobody answers."
