"""Translations by Babel: extract, update, compile, check. GNU gettext is not needed.

`messages.py` extracts and compiles; `--compile` only compiles; `--check` fails when a text has no Chinese, or when
the catalogue doesn't hold what the code says.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract as extract_from, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
PACKAGES = ("core", "documents", "logs_app", "accounts", "mailstore", "mta", "mailaccess", "webmail")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}


def template_messages(fileobj: io.BytesIO, keywords: Any, tags: Any, options: Any) -> Iterator[Any]:
    """Babel's extractor for Django templates: Django itself turns the tags into gettext calls."""
    # Imported here: compiling needs no Django.
    from django.utils.translation.template import templatize

    code = templatize(fileobj.read().decode())
    yield from extract_python(io.BytesIO(code.encode()), keywords, tags, {**options, "encoding": "utf-8"})


def extracted() -> Catalog:
    """Everything the code says."""
    catalog = Catalog(project="Globalmail", charset="utf-8", locale="zh_Hans")
    sources: list[tuple[Path, Any]] = [
        (path, "python") for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
    ]
    sources += [(path, template_messages) for path in sorted((ROOT / "templates").rglob("*.html"))]
    for path, method in sources:
        with path.open("rb") as source:
            for _line, message, comments, context in extract_from(method, source, KEYWORDS):
                # Without places: they change with every line and make every diff unreadable.
                catalog.add(message, auto_comments=comments, context=context, flags=flags(message))
    return catalog


def flags(message: Any) -> list[str]:
    """Babel's own guess of what is a format string takes `5 %` for one."""
    text = message if isinstance(message, str) else message[0]
    return ["python-format"] if re.search(r"%(\(\w+\))?[sd]", text) else []


def kept() -> Catalog:
    """The catalogue as it is in the tree."""
    with (FOLDER / "django.po").open("rb") as source:
        return read_po(source, locale="zh_Hans")


def compile_catalog(catalog: Catalog) -> None:
    """Write django.mo."""
    with (FOLDER / "django.mo").open("wb") as target:
        write_mo(target, catalog)


def update() -> None:
    """Take in what the code says, drop what it no longer says, compile."""
    catalog = kept()
    made = catalog.creation_date
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.creation_date = made  # a date that changes with every run makes every merge a conflict
    catalog.obsolete.clear()
    with (FOLDER / "django.po").open("wb") as target:
        write_po(target, catalog, omit_header=False, no_location=True, sort_output=False, width=120)
    compile_catalog(catalog)
    for text in untranslated(catalog):
        print(f"no Chinese yet: {text}")


def untranslated(catalog: Catalog) -> list[str]:
    """Texts without Chinese."""
    return [
        str(message.id)
        for message in catalog
        if message.id and not (all(message.string) if isinstance(message.string, tuple | list) else message.string)
    ]


def check() -> int:
    """Whether the catalogue is whole and true."""
    catalog = kept()
    said = {(message.context, _key(message.id)) for message in extracted() if message.id}
    held = {(message.context, _key(message.id)) for message in catalog if message.id}
    problems = [f"not in the catalogue (make messages): {text}" for _, text in sorted(said - held, key=str)]
    problems += [f"said nowhere any more (make messages): {text}" for _, text in sorted(held - said, key=str)]
    problems += [f"no Chinese: {text}" for text in untranslated(catalog)]
    print("\n".join(problems) or "The catalogue is whole.")
    return bool(problems)


def _key(message_id: Any) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if "--check" in sys.argv:
        sys.exit(check())
    if "--compile" in sys.argv:
        compile_catalog(kept())
    else:
        update()
