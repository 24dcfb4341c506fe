"""The operators of the query language: their names in English and Chinese, and what their values mean."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from mailstore.search.tree import Age, Day, Field, In, Is, Label, Leaf, Size, State, Text, Unit

NAMES: dict[str, str] = {
    **dict.fromkeys(["from", "发件人", "发信人", "寄件者", "寄件人", "来自"], "from"),
    **dict.fromkeys(["to", "收件人", "收信人", "發給", "发给"], "to"),
    **dict.fromkeys(["cc", "抄送", "副本"], "cc"),
    **dict.fromkeys(["bcc", "密送", "密件副本"], "bcc"),
    **dict.fromkeys(["subject", "主题", "主題", "主旨", "标题"], "subject"),
    **dict.fromkeys(["filename", "附件名", "文件名"], "filename"),
    **dict.fromkeys(["list", "邮件列表", "列表"], "list"),
    **dict.fromkeys(["has", "包含", "有"], "has"),
    **dict.fromkeys(["is", "状态", "是"], "is"),
    **dict.fromkeys(["in", "文件夹", "位于", "在"], "in"),
    **dict.fromkeys(["label", "标签"], "label"),
    **dict.fromkeys(["before", "早于", "之前"], "before"),
    **dict.fromkeys(["after", "晚于", "之后"], "after"),
    **dict.fromkeys(["older_than", "older", "超过时间"], "older_than"),
    **dict.fromkeys(["newer_than", "newer", "最近"], "newer_than"),
    **dict.fromkeys(["larger", "size", "大于"], "larger"),
    **dict.fromkeys(["smaller", "小于"], "smaller"),
}
"""What may stand before a colon, and the operator it means."""

_STATES = {
    **dict.fromkeys(["unread", "未读", "未讀"], State.UNREAD),
    **dict.fromkeys(["read", "已读", "已讀"], State.READ),
    **dict.fromkeys(["starred", "star", "flagged", "星标", "已加星标", "有星标"], State.STARRED),
    **dict.fromkeys(["unstarred", "无星标"], State.UNSTARRED),
    **dict.fromkeys(["answered", "replied", "已回复"], State.ANSWERED),
    **dict.fromkeys(["forwarded", "已转发"], State.FORWARDED),
    **dict.fromkeys(["attachment", "attachments", "附件", "有附件"], State.ATTACHMENT),
}
BARE: dict[str, Leaf] = {
    **dict.fromkeys(["有附件", "带附件"], Is(State.ATTACHMENT)),
    **dict.fromkeys(["未读邮件", "未读"], Is(State.UNREAD)),
    **dict.fromkeys(["星标邮件", "有星标"], Is(State.STARRED)),
}
"""Words that are a question by themselves."""

FOLDERS = {
    **dict.fromkeys(["inbox", "收件箱"], "inbox"),
    **dict.fromkeys(["sent", "已发送", "发件箱"], "sent"),
    **dict.fromkeys(["drafts", "draft", "草稿箱", "草稿"], "drafts"),
    **dict.fromkeys(["trash", "deleted", "bin", "已删除"], "trash"),
    **dict.fromkeys(["junk", "spam", "垃圾箱", "垃圾邮件"], "junk"),
    **dict.fromkeys(["monitor", "邮件监控"], "monitor"),
    **dict.fromkeys(["anywhere", "all", "任意", "所有", "全部"], "anywhere"),
}
_UNITS = {
    **dict.fromkeys(["h", "小时"], Unit.HOUR),
    **dict.fromkeys(["d", "天", "日"], Unit.DAY),
    **dict.fromkeys(["w", "周", "星期"], Unit.WEEK),
    **dict.fromkeys(["m", "个月", "月"], Unit.MONTH),
    **dict.fromkeys(["y", "年"], Unit.YEAR),
}
_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?([kmg]?)b?", re.IGNORECASE)
_SCALE = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_AGE = re.compile(r"([0-9]{1,4})\s*(\D{1,2})")
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2})日?|月)?|年)?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


def leaf(name: str, value: str, *, is_prefix: bool = False) -> Leaf | None:
    """What `name:value` asks; None when the value means nothing to this operator. `name` is one of NAMES' values."""
    make = _MAKERS.get(name)
    return make(value.strip()) if make else Text(value, Field(name), is_prefix)


def _state(value: str) -> Leaf | None:
    state = _STATES.get(value.lower())
    return Is(state) if state else None


def _folder(value: str) -> Leaf | None:
    return In(FOLDERS.get(value.lower(), value)) if value else None


def _label(value: str) -> Leaf | None:
    return Label(value) if value else None


def _day(*, is_after: bool) -> Callable[[str], Leaf | None]:
    def make(value: str) -> Leaf | None:
        match = _COMPACT.fullmatch(value) or _DATE.fullmatch(value)
        if match is None:
            return None
        year, month, day = (int(number) if number else 1 for number in match.groups())
        try:
            return Day(datetime.date(year, month, day), is_after)
        except ValueError:
            return None

    return make


def _age(*, is_newer: bool) -> Callable[[str], Leaf | None]:
    def make(value: str) -> Leaf | None:
        match = _AGE.fullmatch(value.lower())
        unit = _UNITS.get(match[2]) if match else None
        return Age(int(match[1]), unit, is_newer) if match and unit else None

    return make


def _size(*, is_smaller: bool) -> Callable[[str], Leaf | None]:
    def make(value: str) -> Leaf | None:
        match = _SIZE.fullmatch(value)
        if match is None:
            return None
        scale = _SCALE[match[3].lower()]
        part = int(match[2]) * scale // 10 ** len(match[2]) if match[2] else 0
        return Size(min(int(match[1]) * scale + part, (1 << 62)), is_smaller)

    return make


_MAKERS: dict[str, Callable[[str], Leaf | None]] = {
    "has": _state,
    "is": _state,
    "in": _folder,
    "label": _label,
    "before": _day(is_after=False),
    "after": _day(is_after=True),
    "older_than": _age(is_newer=False),
    "newer_than": _age(is_newer=True),
    "larger": _size(is_smaller=False),
    "smaller": _size(is_smaller=True),
}


def size_text(size_bytes: int) -> str:
    """A size as it is typed."""
    for letter in "gmk":
        if size_bytes and size_bytes % _SCALE[letter] == 0:
            return f"{size_bytes // _SCALE[letter]}{letter.upper()}"
    return str(size_bytes)
