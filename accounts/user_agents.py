"""What a program calls itself, as people would call it: browsers say who they are at length (RFC 9110 10.1.5)."""

from __future__ import annotations

import re

MAX_CHARS = 48
BROWSERS = (
    ("Edge", r"Edg(?:A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("QQ", r"QQBrowser/(\d+)"),
    ("360", r"(?:QIHU|360SE|360EE)()"),
    ("WeChat", r"MicroMessenger/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Headless)?(?:Chrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)\S* .*Safari"),
)
"""The one that imitates others comes before whom it imitates."""
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS|OpenHarmony"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X|Macintosh"),
    ("Linux", "Linux|X11"),
)


def program_name(text: str) -> str:
    """ "Chrome 128 · Windows"; the beginning of `text` where it is no browser's."""
    if not text.startswith("Mozilla/"):
        return text[:MAX_CHARS]
    browser = next((f"{name} {found[1]}".strip() for name, rule in BROWSERS if (found := re.search(rule, text))), "")
    system = next((name for name, rule in SYSTEMS if re.search(rule, text)), "")
    return " · ".join(part for part in (browser, system) if part) or text[:MAX_CHARS]
