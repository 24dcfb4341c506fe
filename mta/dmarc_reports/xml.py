"""The XML of aggregate reports (RFC 7489 appendix C): written for others, read from others within bounds."""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree

READ_MAX_BYTES = 20 * 1024 * 1024
"""Largest report that is unpacked."""
ROWS_MAX = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class ReadRow:
    """One source of mail in a report about us."""

    address: str
    count: int
    disposition: str
    dkim: str
    spf: str
    header_from: str

    @property
    def passed(self) -> bool:
        """DMARC passes when either is aligned."""
        return "pass" in (self.dkim, self.spf)


@dataclasses.dataclass(frozen=True, slots=True)
class ReadReport:
    """What somebody tells about a domain."""

    organisation: str
    report_id: str
    domain: str
    begins_at: datetime.datetime
    ends_at: datetime.datetime
    rows: tuple[ReadRow, ...]


def write(
    facts: Sequence[tuple[dict[str, Any], int]],
    *,
    report_id: str,
    reporter: tuple[str, str],
    period: tuple[int, int],
) -> bytes:
    """One domain's report. `facts` are observations and their counts, `reporter` our name and address."""
    root = ElementTree.Element("feedback")
    _add(root, "version", "1.0")
    metadata = ElementTree.SubElement(root, "report_metadata")
    for name, value in zip(("org_name", "email", "report_id"), (*reporter, report_id), strict=True):
        _add(metadata, name, value)
    dates = ElementTree.SubElement(metadata, "date_range")
    _add(dates, "begin", str(period[0]))
    _add(dates, "end", str(period[1]))
    _policy(root, facts[0][0])
    for observation, count in facts:
        _record(root, observation, count)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _policy(root: ElementTree.Element, facts: dict[str, Any]) -> None:
    published = ElementTree.SubElement(root, "policy_published")
    policy, subdomains, percent, adkim, aspf = facts["record"]
    values = {"domain": facts["domain"], "adkim": adkim, "aspf": aspf, "p": policy, "sp": subdomains, "pct": percent}
    for name, value in values.items():
        _add(published, name, str(value))


def _record(root: ElementTree.Element, facts: dict[str, Any], count: int) -> None:
    record = ElementTree.SubElement(root, "record")
    row = ElementTree.SubElement(record, "row")
    _add(row, "source_ip", facts["source"])
    _add(row, "count", str(count))
    evaluated = ElementTree.SubElement(row, "policy_evaluated")
    _add(evaluated, "disposition", facts["outcome"])
    _add(evaluated, "dkim", "pass" if facts["aligned_dkim"] else "fail")
    _add(evaluated, "spf", "pass" if facts["aligned_spf"] else "fail")
    if facts["override"]:
        _add(ElementTree.SubElement(evaluated, "reason"), "type", facts["override"])
    identifiers = ElementTree.SubElement(record, "identifiers")
    _add(identifiers, "envelope_from", facts["envelope_from"])
    _add(identifiers, "header_from", facts["header_from"])
    results = ElementTree.SubElement(record, "auth_results")
    for domain, selector, outcome in facts["dkim"]:
        _results(results, "dkim", {"domain": domain, "selector": selector, "result": outcome})
    domain, scope, outcome = facts["spf"]
    _results(results, "spf", {"domain": domain, "scope": scope, "result": outcome})


def _results(parent: ElementTree.Element, name: str, values: dict[str, str]) -> None:
    element = ElementTree.SubElement(parent, name)
    for key, value in values.items():
        _add(element, key, value)


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    # XML 1.0 holds no control characters, escaped or not.
    ElementTree.SubElement(parent, name).text = "".join(letter for letter in text if letter >= " ")


def read(content: bytes) -> ReadReport | None:
    """A report as it was attached (gzip, zip or plain XML); None for anything else. Bounded in size and rows."""
    unpacked = unpack(content)
    if unpacked is None or b"<!DOCTYPE" in unpacked or b"<!ENTITY" in unpacked:  # no report has them; bombs do
        return None
    try:
        return _read(ElementTree.fromstring(unpacked))  # noqa: S314 - no declarations, bounded size
    except (ElementTree.ParseError, ValueError, OverflowError, OSError):
        return None


def unpack(content: bytes) -> bytes | None:
    """At most READ_MAX_BYTES; None when there is more or it is broken."""
    try:
        if content.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                found = packed.read(READ_MAX_BYTES + 1)
        elif content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(archive.namelist()[0]) as member:
                found = member.read(READ_MAX_BYTES + 1)
        else:
            found = content
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, lzma.LZMAError, IndexError, RuntimeError):
        return None
    return found if len(found) <= READ_MAX_BYTES else None


def _read(root: ElementTree.Element) -> ReadReport | None:
    for element in root.iter():  # some senders use the schema's name space, most do not
        element.tag = element.tag.rpartition("}")[2]
    domain = _text(root, "policy_published/domain").lower()
    report_id = _text(root, "report_metadata/report_id")
    if root.tag != "feedback" or not domain or not report_id:
        return None
    return ReadReport(
        organisation=_text(root, "report_metadata/org_name")[:255],
        report_id=report_id[:255],
        domain=domain[:255],
        begins_at=_time(_text(root, "report_metadata/date_range/begin")),
        ends_at=_time(_text(root, "report_metadata/date_range/end")),
        rows=tuple(_rows(root.findall("record")[:ROWS_MAX])),
    )


def _rows(records: Iterable[ElementTree.Element]) -> Iterable[ReadRow]:
    for record in records:
        yield ReadRow(
            address=_text(record, "row/source_ip")[:45],
            count=min(max(int(_text(record, "row/count") or "0"), 0), 10**12),
            disposition=_text(record, "row/policy_evaluated/disposition")[:20],
            dkim=_text(record, "row/policy_evaluated/dkim")[:10],
            spf=_text(record, "row/policy_evaluated/spf")[:10],
            header_from=_text(record, "identifiers/header_from")[:255],
        )


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(text), datetime.UTC)
