"""What a new password must be."""

from __future__ import annotations

import pytest
from django.utils import translation

from accounts.forms import password_problem
from accounts.password_rules import problems_of


@pytest.mark.parametrize(
    ("password", "problems"),
    [
        ("correct horse 9", []),
        ("密码很长也可以用", []),
        ("Xk9#vb2", ["too_short"]),
        ("password1", ["too_common"]),
        ("PASSWORD1", ["too_common"]),
        ("wangfang", ["account_name"]),
        ("WangFang1!", ["account_name"]),
        ("wangfang@example.test", ["account_name"]),
        ("wangfang likes tea", []),
        ("王芳王芳王芳 12", []),
        ("tab\tinside 9", ["characters"]),
        ("x" * 2000, ["too_long"]),
        ("", ["too_short"]),
    ],
)
def test_each_rule_is_named(password: str, problems: list[str]) -> None:
    assert problems_of(password, address="wangfang@example.test", name="王芳") == problems


@pytest.mark.parametrize(("language", "said"), [("en", "at least 8 characters"), ("zh-hans", "至少需要 8 个字符")])
def test_a_refusal_is_in_the_readers_language(language: str, said: str) -> None:
    with translation.override(language):
        assert said in password_problem("too_short")
