"""Reads the letters: who writes to whom, when, and what. `Letter` is one mail, still without bytes.

A file holds threads (`[[thread]]` with `[[thread.mail]]`, each answering the one before unless `answers` names another)
and series (`[[series]]`: one text with a row of values for each mail; a row with `reply` answers the row above). A moment is told by whole days before today (`ago`) and a time of the day in China; today's day is
squeezed into the hours that have passed, so that nothing comes from the future.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import tomllib
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webmail.demo.company import COLLEAGUES

FOLDER = Path(__file__).parent / "letters"
CHINA = zoneinfo.ZoneInfo("Asia/Shanghai")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Correspondent:
    """Anybody who writes or is written to, and how his program writes."""

    key: str
    name: str
    address: str
    signature: str = ""
    language: str = "en"
    time_zone: str = "Asia/Shanghai"
    program: str = ""
    charset: str = "utf-8"
    is_html: bool = True
    is_ours: bool = False
    host: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail. `parent` is what it answers; addresses may be groups."""

    message_id: str
    sender: Correspondent
    to: tuple[Correspondent, ...]
    cc: tuple[Correspondent, ...] = ()
    subject: str
    text: str
    at: datetime.datetime
    parent: Letter | None = None
    files: tuple[str, ...] = ()
    charset: str = ""
    look: str = ""
    """How it is laid out: plain, html, or the name of a newsletter's design."""
    is_forward: bool = False
    is_urgent: bool = False
    junk: bool = False
    trash: bool = False
    unread: tuple[str, ...] | None = None
    """Whose copy is unread; None: by age."""
    starred: tuple[str, ...] = ()
    filed: dict[str, str] = dataclasses.field(default_factory=dict)
    """Local part to the folder he filed his copy in."""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        """Message-IDs of the thread so far, the oldest first (RFC 5322 3.6.4)."""
        return (*self.parent.references, self.parent.message_id) if self.parent else ()


@functools.cache
def people() -> dict[str, Correspondent]:
    """Everybody by key: colleagues by local part, the others by the name that letters call them."""
    found = {
        each.local_part: Correspondent(
            key=each.local_part,
            name=each.name,
            address=each.address,
            signature=_own_signature(each.latin_name or each.name, each.title),
            language=each.language,
            time_zone=each.time_zone,
            program="Globalmail",
            is_ours=True,
        )
        for each in COLLEAGUES
    }
    for key, values in tomllib.loads((FOLDER / "people.toml").read_text("utf-8")).items():
        found[key] = Correspondent(key=key, **values)
    return found


def letters(now: datetime.datetime) -> list[Letter]:
    """All of them, oldest first, told from `now`."""
    found: list[Letter] = []
    for path in sorted(FOLDER.glob("*.toml")):
        if path.stem in {"people", "drafts", "marks"}:
            continue
        given = tomllib.loads(path.read_text("utf-8"))
        for number, thread in enumerate(given.get("thread", [])):
            found += _thread(f"{path.stem}-{number}", thread, now)
        for number, series in enumerate(given.get("series", [])):
            found += _series(f"{path.stem}-series-{number}", series, now)
    return sorted(found, key=lambda letter: letter.at)


def _thread(name: str, thread: dict[str, Any], now: datetime.datetime) -> Iterator[Letter]:
    shared = {key: value for key, value in thread.items() if key != "mail"}
    before: list[Letter] = []
    for number, mail in enumerate(thread["mail"]):
        merged = {**shared, **mail}
        parent = None
        if before and merged.pop("answers", True) is not False:
            parent = before[mail.get("answers", len(before)) - 1]
        letter = _letter(f"{name}-{number}", merged, now, parent=parent)
        before.append(letter)
        yield letter


def _series(name: str, series: dict[str, Any], now: datetime.datetime) -> Iterator[Letter]:
    shared = {key: value for key, value in series.items() if key != "rows"}
    before: Letter | None = None
    for number, row in enumerate(series["rows"]):
        merged = {**shared, **row}
        for field in ("subject", "text"):
            merged[field] = shared[field].format(**row)
        for field in ("to", "files"):
            merged[field] = [each.format(**row) for each in merged.get(field, [])]
        parent = before if row.get("reply") else None
        before = _letter(f"{name}-{number}", merged, now, parent=parent)
        yield before


def _letter(name: str, given: dict[str, Any], now: datetime.datetime, *, parent: Letter | None = None) -> Letter:
    known = people()
    sender = known[given["from"]]
    return Letter(
        message_id=_message_id(name, sender),
        sender=sender,
        to=tuple(known[key] for key in given["to"]),
        cc=tuple(known[key] for key in given.get("cc", ())),
        subject=_subject(given, sender, parent),
        text=given["text"].strip("\n"),
        at=moment(given["ago"], given["time"], now),
        parent=parent,
        files=tuple(given.get("files", ())),
        charset=given.get("charset", sender.charset),
        look=given.get("look", "html" if sender.is_html else "plain"),
        is_forward=given.get("forward", False),
        is_urgent=given.get("urgent", False),
        junk=given.get("junk", False),
        trash=given.get("trash", False),
        unread=tuple(given["unread"]) if "unread" in given else None,
        starred=tuple(given.get("starred", ())),
        filed=given.get("filed", {}),
        headers=given.get("headers", {}),
    )


def _subject(given: dict[str, Any], sender: Correspondent, parent: Letter | None) -> str:
    subject: str = given["subject"]
    if parent is None:
        return subject
    chinese = sender.language.startswith("zh")
    if given.get("forward"):
        return f"{'转发：' if chinese else 'Fwd: '}{subject}"
    return f"{'回复：' if chinese else 'Re: '}{subject}"


def moment(ago: int, time: str, now: datetime.datetime) -> datetime.datetime:
    """`ago` days before today at `time` (HH:MM) in China, never later than `now`."""
    local = now.astimezone(CHINA)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    hours, minutes = map(int, time.split(":"))
    passed = datetime.timedelta(hours=hours, minutes=minutes)
    if ago == 0:
        return midnight + passed / datetime.timedelta(days=1) * (local - midnight)
    return midnight - datetime.timedelta(days=ago) + passed


def _message_id(name: str, sender: Correspondent) -> str:
    digest = hashlib.sha256(f"{name}/{sender.address}".encode()).hexdigest()[:20]
    return f"{digest}@{sender.address.rpartition('@')[2]}"


def _own_signature(name: str, title: str) -> str:
    return f"{name}\n{title}\nFarvoyage Lighting Co., Ltd. · Ningbo\nwww.farvoyage.example.com"
