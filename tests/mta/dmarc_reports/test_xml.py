"""The XML of aggregate reports, both ways, and what is no report."""

from __future__ import annotations

import datetime
import gzip
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given, strategies as st

from mta.dmarc_reports import xml

FACTS: dict[str, Any] = {
    "domain": "good.test",
    "source": "192.0.2.1",
    "outcome": "reject",
    "aligned_dkim": False,
    "aligned_spf": True,
    "header_from": "mail.good.test",
    "envelope_from": "bounce.test",
    "spf": ["bounce.test", "mfrom", "pass"],
    "dkim": [["x.test", "s1", "fail"]],
    "record": ["reject", "none", 50, "r", "s"],
    "override": "sampled_out",
}


def written(facts: dict[str, Any] = FACTS, count: int = 3) -> bytes:
    return xml.write([(facts, count)], report_id="id1", reporter=("mx.us.test", "d@us.test"), period=(0, 86_399))


def zipped(content: bytes, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as archive:
        archive.writestr("report.xml", content)
    return target.getvalue()


def damaged(packed: bytes) -> bytes:
    """Some bytes of the member are others."""
    begin = packed.index(b"report.xml") + 19
    return packed[:begin] + bytes(byte ^ 0xFF for byte in packed[begin : begin + 5]) + packed[begin + 5 :]


def test_a_report_has_the_elements_of_the_schema() -> None:
    text = written().decode()
    for piece in (
        "<org_name>mx.us.test</org_name><email>d@us.test</email><report_id>id1</report_id>",
        "<date_range><begin>0</begin><end>86399</end></date_range>",
        "<domain>good.test</domain><adkim>r</adkim><aspf>s</aspf><p>reject</p><sp>none</sp><pct>50</pct>",
        "<source_ip>192.0.2.1</source_ip><count>3</count>",
        "<disposition>reject</disposition><dkim>fail</dkim><spf>pass</spf><reason><type>sampled_out</type></reason>",
        "<envelope_from>bounce.test</envelope_from><header_from>mail.good.test</header_from>",
        "<dkim><domain>x.test</domain><selector>s1</selector><result>fail</result></dkim>",
        "<spf><domain>bounce.test</domain><scope>mfrom</scope><result>pass</result></spf>",
    ):
        assert piece in text


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress, zipped])
def test_what_is_written_is_read_however_it_is_packed(pack: Any) -> None:
    report = xml.read(pack(written()))
    assert report is not None
    assert (report.organisation, report.report_id, report.domain) == ("mx.us.test", "id1", "good.test")
    assert report.ends_at == datetime.datetime(1970, 1, 1, 23, 59, 59, tzinfo=datetime.UTC)
    assert report.rows == (xml.ReadRow("192.0.2.1", 3, "reject", "fail", "pass", "mail.good.test"),)
    assert report.rows[0].passed


def test_a_name_space_is_no_obstacle() -> None:
    text = written().replace(b"<feedback>", b'<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">')
    assert xml.read(text) is not None


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feedback>&b;</feedback>'


NO_REPORTS = {
    "empty": b"",
    "text": b"hello",
    "html": b"<html></html>",
    "bare": b"<feedback></feedback>",
    "entities": BOMB,
    "broken gzip": b"\x1f\x8bbroken",
    "broken zip": b"PKbroken",
    "broken lzma": damaged(zipped(b"<feedback>" + b"x" * 500, zipfile.ZIP_LZMA)),
    "gzip bomb": gzip.compress(b" " * (xml.READ_MAX_BYTES + 1)),
    "zip bomb": zipped(b" " * (xml.READ_MAX_BYTES + 1)),
    "cut": written()[:-20],
    "no time": written().replace(b"<begin>0<", b"<begin>soon<"),
    "late": written().replace(b"<begin>0<", b"<begin>99999999999999999999<"),
}


@pytest.mark.parametrize("content", NO_REPORTS.values(), ids=NO_REPORTS.keys())
def test_what_is_no_report_is_none(content: bytes) -> None:
    assert xml.read(content) is None


@given(st.text(max_size=50))
def test_whatever_strangers_called_themselves_makes_well_formed_xml(name: str) -> None:
    name = name.encode("utf-8", "ignore").decode()
    facts = FACTS | {"header_from": name, "dkim": [[name, name, "fail"]]}
    assert xml.read(written(facts)) is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for packed in (content, b"\x1f\x8b" + content, b"PK" + content):
        xml.read(packed)
