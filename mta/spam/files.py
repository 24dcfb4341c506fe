"""Attachments that run: programs by content and by name, in zip archives too; double extensions; macros."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator

from mta.spam.contents import Attached
from mta.spam.finding import Finding, Rule

_PROGRAMS = """
    ade adp apk appref-ms appx bat chm cmd com cpl dll exe gadget hta img inf ins iso isp jar jnlp js jse lnk
    mde msc msh msi msix msp mst pif ps1 ps2 psc1 reg scf scr sct settingcontent-ms shb sys url vb vbe vbs vhd
    vhdx vxd ws wsc wsf wsh xll
"""
PROGRAMS = frozenset(_PROGRAMS.split())
"""What Windows runs, or mounts and runs from, at a double click."""
_MACRO_DOCUMENTS = """
    docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm
"""
MACRO_DOCUMENTS = frozenset(_MACRO_DOCUMENTS.split())
_HARMLESS = """
    pdf doc docx xls xlsx ppt pptx txt jpg jpeg png gif zip rar csv htm html wps et dps ofd
"""
HARMLESS = frozenset(_HARMLESS.split())
"""What a second extension pretends: `offer.pdf.exe`."""
NAMES_MAX = 2_000
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Bidi controls: `offer_fdp.exe` that shows as `offer_exe.pdf`."""
_PROGRAM_MARKS = (b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"L\0\0\0\x01\x14\x02\0")
_OLE = b"\xd0\xcf\x11\xe0"
_VBA = ("_VBA_PROJECT".encode("utf-16-le"), b"_VBA_PROJECT_CUR", "Macros".encode("utf-16-le"))


def judge_files(files: Iterable[Attached]) -> Iterator[Finding]:
    """Each rule once, with the name of the first file that it matched."""
    found: dict[Rule, Finding] = {}
    for file in files:
        for rule, name in _of_file(file):
            found.setdefault(rule, Finding(rule, POINTS[rule], (name,)))
    yield from found.values()


POINTS = {Rule.PROGRAM: 0, Rule.DOUBLE_EXTENSION: 60, Rule.MACROS: 0, Rule.LOCKED_ARCHIVE: 8}
"""What becomes of programs and macros is the domain's policy, whatever the score."""


def _of_file(file: Attached) -> Iterator[tuple[Rule, str]]:
    yield from _by_name(file.name, file.name)
    if _is_program(file.data):
        yield Rule.PROGRAM, file.name or "?"
    elif file.data.startswith(_OLE) and any(mark in file.data for mark in _VBA):
        yield Rule.MACROS, file.name or "?"
    elif file.data.startswith(b"PK") and file.is_whole:
        yield from _inside(file)


def _is_program(data: bytes) -> bool:
    return (data.startswith(b"MZ") and b"\0" in data[:64]) or data.startswith(_PROGRAM_MARKS)


def _by_name(name: str, shown: str) -> Iterator[tuple[Rule, str]]:
    plain = _OVERRIDES.sub("", name).rstrip(". ")
    stem, _, extension = plain.lower().rpartition(".")
    if extension in PROGRAMS and stem:
        before = stem.rstrip().rpartition(".")[2]
        deceives = before in HARMLESS or plain != name.rstrip(". ")
        yield Rule.DOUBLE_EXTENSION if deceives else Rule.PROGRAM, shown
    elif extension in MACRO_DOCUMENTS:
        yield Rule.MACROS, shown


def _inside(file: Attached) -> Iterator[tuple[Rule, str]]:
    """By the directory of a zip; nothing is unpacked, so no bomb goes off. One that can't be read has no names."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            entries = [(each.filename, each.flag_bits & 1) for each in archive.infolist()[:NAMES_MAX]]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError, RuntimeError, OverflowError):
        return
    if any(locked for _, locked in entries):
        yield Rule.LOCKED_ARCHIVE, file.name or "?"
    for name, _ in entries:
        if name.endswith("vbaProject.bin"):
            yield Rule.MACROS, file.name or "?"
        yield from _by_name(name.rpartition("/")[2], f"{file.name} › {name}")
