"""What a file is, by its content first; and names that are safe to save under."""

from __future__ import annotations

import re
import unicodedata

HEAD_BYTES = 8_192
"""How much of a file's beginning is enough for `content_type_of`."""
MAX_NAME_BYTES = 180
"""File systems end at 255 bytes; Chinese takes three each; room is left for " (2)" and a download's ".part"."""

OCTETS = "application/octet-stream"
_OOXML = "application/vnd.openxmlformats-officedocument."

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"7z\xbc\xaf'\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"(\xb5/\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b'x\x9f>"', "application/ms-tnef"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\0asm", "application/wasm"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_BY_EXTENSION = {
    "doc": "application/msword",
    "dot": "application/msword",
    "wps": "application/vnd.ms-works",
    "xls": "application/vnd.ms-excel",
    "et": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "pps": "application/vnd.ms-powerpoint",
    "dps": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
    "vsd": "application/vnd.visio",
    "msi": "application/x-msi",
}
_ZIP_INSIDE = (
    (b"word/", _OOXML + "wordprocessingml.document"),
    (b"xl/", _OOXML + "spreadsheetml.sheet"),
    (b"ppt/", _OOXML + "presentationml.presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
    (b"mimetypeapplication/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation"),
    (b"mimetypeapplication/epub+zip", "application/epub+zip"),
)
_ZIP_BY_EXTENSION = {
    "docx": _OOXML + "wordprocessingml.document",
    "xlsx": _OOXML + "spreadsheetml.sheet",
    "pptx": _OOXML + "presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "epub": "application/epub+zip",
    "jar": "application/java-archive",
    "apk": "application/vnd.android.package-archive",
    "ofd": "application/ofd",
}
_TEXT_BY_EXTENSION = {
    "txt": "text/plain",
    "log": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "html": "text/html",
    "htm": "text/html",
    "xhtml": "text/html",
    "xml": "text/xml",
    "svg": "image/svg+xml",
    "json": "application/json",
    "js": "text/javascript",
    "css": "text/css",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "eml": "message/rfc822",
    "p7s": "application/pkcs7-signature",
}
_BINARY_BY_EXTENSION = {"mp3": "audio/mpeg", "aac": "audio/aac", "flv": "video/x-flv", "wmv": "video/x-ms-wmv"}
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")
_MARKUP = re.compile(
    rb"(?i)^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script|iframe|svg|\?xml)", re.DOTALL
)
# Types whose claim is only believed when the bytes agree: a browser would run or decode them.
_MUST_SHOW = ("image/", "audio/", "video/", "text/html", "application/xhtml", "application/pdf", "image/svg")


def extension_of(name: str) -> str:
    """The extension in lower case without its dot; empty when there is none."""
    stem, dot, extension = name.strip().rpartition(".")
    return extension.lower() if dot and stem and extension.isalnum() and len(extension) <= 8 else ""


def content_type_of(name: str, head: bytes, claimed: str = "") -> str:
    """The content type of a file from its first bytes, then its name, then what the sender claims.

    `head` may be shorter than the file (`HEAD_BYTES` are enough). Never raises. text/html and image/svg+xml come
    back as such: it is the caller who must not show them inline.
    """
    head = head[:HEAD_BYTES]
    extension = extension_of(name)
    found = _by_signature(head, extension)
    if found:
        return found
    if head and _is_text(head):
        return _text_type(head, extension, claimed)
    return _BINARY_BY_EXTENSION.get(extension) or _believed(claimed)


def _by_signature(head: bytes, extension: str) -> str:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip_type(head, extension)
    if head.startswith(_OLE):
        return _OLE_BY_EXTENSION.get(extension, "application/x-ole-storage")
    if head.startswith(b"MZ") and (extension in ("exe", "dll", "scr", "com", "") or b"\0" in head[:64]):
        return "application/vnd.microsoft.portable-executable"
    if head.startswith(b"BM") and len(head) > 14 and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if head.startswith(b"\0\0\1\0") and len(head) > 5 and head[4:6] != b"\0\0":
        return "image/x-icon"
    return next((kind for at, mark, kind in _SIGNATURES if head.startswith(mark, at)), "")


def _zip_type(head: bytes, extension: str) -> str:
    for mark, kind in _ZIP_INSIDE:
        if mark in head:
            return kind
    return _ZIP_BY_EXTENSION.get(extension, "application/zip")


def _is_text(head: bytes) -> bool:
    """No control characters but those of text; UTF-16 counts by its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head)


def _text_type(head: bytes, extension: str, claimed: str) -> str:
    if _MARKUP.match(head):
        is_svg = b"<svg" in head[:1_000].lower() and extension not in ("html", "htm")
        if is_svg:
            return "image/svg+xml"
        return "text/xml" if head.lstrip()[:5] == b"<?xml" and b"<html" not in head.lower() else "text/html"
    if head.startswith(b"BEGIN:VCALENDAR"):
        return "text/calendar"
    if head.startswith(b"BEGIN:VCARD"):
        return "text/vcard"
    known = _TEXT_BY_EXTENSION.get(extension)
    if known:
        return known
    return claimed if claimed.startswith("text/") and _TYPE.fullmatch(claimed) else "text/plain"


def _believed(claimed: str) -> str:
    claimed = claimed.strip().lower()
    if not _TYPE.fullmatch(claimed) or claimed.startswith(_MUST_SHOW):
        return OCTETS
    return claimed


_KIND_BY_EXTENSION = {
    **dict.fromkeys(["doc", "docx", "dot", "dotx", "odt", "rtf", "wps", "pages", "ofd"], "doc"),
    **dict.fromkeys(["xls", "xlsx", "xlsm", "csv", "ods", "et", "numbers"], "xls"),
    **dict.fromkeys(["ppt", "pptx", "pps", "ppsx", "odp", "dps", "key"], "ppt"),
    **dict.fromkeys(["zip", "rar", "7z", "tar", "gz", "tgz", "bz2", "xz", "zst", "jar", "iso"], "archive"),
    **dict.fromkeys(
        ["png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "heic", "svg", "psd", "ico", "avif"], "image"
    ),
    **dict.fromkeys(["mp3", "wav", "ogg", "flac", "m4a", "aac", "amr", "wma"], "audio"),
    **dict.fromkeys(["mp4", "mov", "avi", "mkv", "webm", "wmv", "flv", "m4v"], "video"),
    **dict.fromkeys(["txt", "log", "md", "html", "htm", "xml", "json", "css", "js", "py"], "text"),
    **dict.fromkeys(["eml", "msg"], "mail"),
    "pdf": "pdf",
    "ics": "calendar",
}
_KIND_BY_WORD = (
    ("application/pdf", "pdf"),
    ("wordprocessing", "doc"),
    ("msword", "doc"),
    ("opendocument.text", "doc"),
    ("rtf", "doc"),
    ("spreadsheet", "xls"),
    ("ms-excel", "xls"),
    ("text/csv", "xls"),
    ("presentation", "ppt"),
    ("ms-powerpoint", "ppt"),
    ("message/", "mail"),
    ("ms-outlook", "mail"),
    ("text/calendar", "calendar"),
    ("zip", "archive"),
    ("rar", "archive"),
    ("7z", "archive"),
    ("x-tar", "archive"),
    ("image/", "image"),
    ("audio/", "audio"),
    ("video/", "video"),
    ("text/", "text"),
)


def icon_kind(content_type: str, filename: str) -> str:
    """pdf, doc, xls, ppt, image, archive, text, audio, video, mail, calendar or other: the type, then the name."""
    kind = next((kind for word, kind in _KIND_BY_WORD if word in content_type.lower()), "")
    by_name = _KIND_BY_EXTENSION.get(extension_of(filename), "")
    if kind in ("", "archive", "text"):
        return by_name or kind or "other"
    return kind


_PATH = re.compile(r"[/\\:*?\"<>|]")
_DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


def safe_filename(name: str) -> str:
    """A name to save under: no path, no control, no bidi override, at most 180 bytes of UTF-8, never empty."""
    name = unicodedata.normalize("NFC", name[:2_000].encode("utf-8", "replace").decode())
    name = re.split(r"[/\\]", name.rstrip("/\\ "))[-1] if name.strip("/\\. ") else ""
    # Category C holds controls, bidi overrides (which make "gpj.exe" read "exe.jpg") and unassigned characters.
    name = "".join(" " if unicodedata.category(c) in ("Zl", "Zp", "Zs") else c for c in name if _is_visible(c))
    name = _PATH.sub("_", " ".join(name.split())).strip(". ")
    if not name or _DEVICES.fullmatch(name):
        name = f"file-{name}" if name else "file"
    return _cut(name)


def _is_visible(character: str) -> bool:
    return character in "\t " or unicodedata.category(character)[0] != "C"


def _cut(name: str) -> str:
    """At most 180 bytes, the extension kept."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    extension = extension_of(name)
    ending = f".{extension}" if extension else ""
    room = MAX_NAME_BYTES - len(ending)
    return (
        name.removesuffix(name[-len(ending) :] if ending else "").encode()[:room].decode("utf-8", "ignore").rstrip(". ")
        + ending
    )
