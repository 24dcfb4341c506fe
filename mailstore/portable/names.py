"""Names of folders outside: modified UTF-7 (RFC 3501 5.1.3), file names, and which foreign name means which role."""

from __future__ import annotations

import binascii
import re
from urllib.parse import unquote

from mailstore.models import Role

ROLE_NAMES: dict[str, Role] = {
    name: role
    for role, names in {
        Role.INBOX: ("inbox", "收件箱"),
        Role.SENT: ("sent", "sent items", "sent messages", "sent mail", "sent-mail", "已发送", "已发送邮件", "发件箱"),
        Role.DRAFTS: ("drafts", "draft", "草稿箱", "草稿"),
        Role.TRASH: ("trash", "deleted items", "deleted messages", "deleted", "已删除", "已删除邮件"),
        Role.JUNK: ("junk", "spam", "junk e-mail", "junk email", "bulk mail", "垃圾箱", "垃圾邮件"),
    }.items()
    for name in names
}
UNSAFE = re.compile(r'[\x00-\x1f\x7f%:?"<>|*\\/]|^\.|[. ]$')
"""What some file system refuses in a name. `%` is in no folder's name, so the escape can be read back."""
_RUN = re.compile(r"&([^-]*)-")


def role_of(path: tuple[str, ...]) -> Role | None:
    """The role that a top folder's name means in most programs."""
    return ROLE_NAMES.get(path[0].strip().lower()) if len(path) == 1 else None


def to_file_name(name: str) -> str:
    """A folder's name as a file's, reversibly."""
    return UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name)


def from_file_name(name: str) -> str:
    """The way back; a foreign name that only looks escaped stays as it is."""
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name


def decode_mutf7(name: str) -> str | None:
    """None for what isn't modified UTF-7."""
    if not name.isascii():
        return None
    try:
        return _RUN.sub(lambda found: _decoded(found[1]), name)
    except (ValueError, UnicodeDecodeError):
        return None


def encode_mutf7(name: str, *, also: str = "") -> str:
    """Modified UTF-7; characters of `also` are encoded too (the separator of Maildir++)."""
    out, run = [], ""
    for letter in name:
        plain = " " <= letter <= "~" and letter not in also
        if not plain:
            run += letter
            continue
        out += [_encoded(run), "&-" if letter == "&" else letter]
        run = ""
    return "".join([*out, _encoded(run)])


def _decoded(run: str) -> str:
    if not run:
        return "&"
    padded = run.replace(",", "/") + "=" * (-len(run) % 4)
    return binascii.a2b_base64(padded, strict_mode=True).decode("utf-16-be")


def _encoded(run: str) -> str:
    if not run:
        return ""
    text = binascii.b2a_base64(run.encode("utf-16-be", "replace"), newline=False).decode().rstrip("=")
    return f"&{text.replace('/', ',')}-"
