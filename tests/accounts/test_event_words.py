"""Every recorded act has words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

from accounts.event_details import WORDS, details
from accounts.event_words import ACTS, PROTOCOLS, told
from logs_app.models import Event, Kind

ROOT = Path(__file__).parent.parent.parent


def test_every_act_that_is_recorded_has_a_label() -> None:
    paths = [path for package in ("accounts", "mta", "mailaccess") for path in (ROOT / package).rglob("*.py")]
    source = "".join(path.read_text() for path in paths if "migrations" not in path.parts)
    recorded = set(re.findall(r'audit\(\s*\w+,\s*"(\w+)"', source)) | {"suspend_account", "restore_account"}
    recorded |= set(re.findall(r'"action": "(\w+)"', source)) | set(re.findall(r'\(\w+, "(\w+)", actor', source))
    assert recorded == set(ACTS)


def test_every_way_that_is_recorded_has_words() -> None:
    paths = [
        path
        for package in ("accounts", "mta", "mailaccess", "mailstore", "webmail")
        for path in (ROOT / package).rglob("*.py")
    ]
    source = "".join(path.read_text() for path in paths if "migrations" not in path.parts)
    recorded = set(re.findall(r'(?:protocol|via)="(\w+)"', source)) | set(re.findall(r'Via\("(\w+)"', source))
    recorded |= set(re.findall(r'protocol="\w+" if \w+ else "(\w+)"', source))
    assert recorded <= set(PROTOCOLS)


EVENTS = {
    "a policy": (
        Kind.ADMIN,
        {"action": "update_mail_policy", "changes": {"digest": ["True", "False"], "networks": ["", "198.51.100.0/24"]}},
        ["是 → 否", "— → 198.51.100.0/24"],
        "邮件策略",
    ),
    "a mail that went out": (
        Kind.DELIVERY,
        {"submission": "2", "queue_id": "1a", "to": "x@far.example", "state": "accepted", "subject": "报价"},
        ["x@far.example", "报价"],
        "x@far.example · 报价",
    ),
    "a mail that came in": (
        Kind.RECEIVED,
        {"from": "x@far.example", "size": 5458, "subject": "Re: bulbs", "put_aside": "junk"},
        ["5.3\xa0KB", "垃圾箱"],
        "垃圾箱 · x@far.example · Re: bulbs",
    ),
    "mails that were deleted": (
        Kind.DELETION,
        {
            "action": "purge",
            "count": 2,
            "mails": [{"subject": "a", "from": "x@far.example"}, {"subject": "", "from": ""}],
        },
        ["a (x@far.example)\n（无主题）"],
        "彻底删除",
    ),
    "a group": (
        Kind.ADMIN,
        {"action": "create_group", "kind": "list", "posting": "anyone"},
        ["指定成员", "任何人"],
        "邮件组",
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_details_are_in_words(name: str) -> None:
    kind, data, values, what = EVENTS[name]
    event = Event(kind=kind, data=data)
    with translation.override("zh-hans"):
        lines = details(event)
        assert what in told(event)
    assert set(values) <= {value for _name, value in lines}
    assert all(re.search("[\u4e00-\u9fff]", each) for each, _value in lines), "names of fields are Chinese"
    assert "{" not in str(lines) and "_" not in "".join(each for each, _value in lines)


def test_what_is_recorded_has_a_name_or_is_a_field() -> None:
    with translation.override("zh-hans"):
        assert all(re.search("[\u4e00-\u9fff]", str(word)) for word in WORDS.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 Edg/128.0",
            "Edge 128 · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari 17 · iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox 130 · Linux"),
        ("Thunderbird 128", "Thunderbird 128"),
        ("Mozilla/5.0 (something else)", "Mozilla/5.0 (something else)"),
    ],
    ids=["Edge", "Safari", "Firefox", "a mail program", "unknown"],
)
def test_programs_are_called_as_people_call_them(text: str, said: str) -> None:
    assert told(Event(kind=Kind.SIGN_IN, data={"alias": "", "program": text})) == said
