"""Parameters of Content-Type and Content-Disposition."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.message import parameter

PARSED = [
    (b"text/plain", ("text/plain", {})),
    (b' Text/HTML; Charset="GB2312"', ("text/html", {"charset": "GB2312"})),
    (b"text/plain;charset=utf-8;format=flowed", ("text/plain", {"charset": "utf-8", "format": "flowed"})),
    (b'a/b; x="semi;colon \\"quoted\\""', ("a/b", {"x": 'semi;colon "quoted"'})),
    (b"text/plain; charset=us-ascii (Plain text)", ("text/plain", {"charset": "us-ascii"})),
    (b'a/b; x="never closed', ("a/b", {"x": "never closed"})),
    (b"attachment; filename*0=a; filename*1=b", ("attachment", {"filename": "ab"})),
    (b"attachment; filename*1*=%BD; filename*0*=utf-8''%E4", ("attachment", {"filename*": "utf-8''%E4%BD"})),
    (b"", ("", {})),
    (b";;;===", ("", {})),
]


@pytest.mark.parametrize(("value", "parsed"), PARSED)
def test_values_and_parameters_are_told_apart(value: bytes, parsed: tuple[str, dict[str, str]]) -> None:
    assert parameter.parse(value) == parsed


NAMES = [
    (b"attachment; filename=plain.pdf", "plain.pdf"),
    (b'attachment; filename="=?gb2312?B?vL62yLGouOYuZG9jeA==?="', "季度报告.docx"),
    ('attachment; filename="季度报告.docx"'.encode("gbk"), "季度报告.docx"),
    ('attachment; filename="季度报告.docx"'.encode(), "季度报告.docx"),
    (b"attachment; filename*=utf-8''%E5%AD%A3%E5%BA%A6.docx", "季度.docx"),
    (b"attachment; filename*=gbk'zh'%BC%BE%B6%C8.docx", "季度.docx"),
    (b"attachment; filename=old.doc; filename*=utf-8''%E6%96%B0.doc", "新.doc"),
    (b"attachment; filename*0*=utf-8''%E5%AD; filename*1*=%A3; filename*2=\" 100%25.doc\"", "季 100%25.doc"),
    (b"attachment; filename*=broken", "broken"),
    (b"attachment; filename*=x''%ZZ%", "%ZZ%"),
    (b'attachment; filename="=?utf-8?B?5a2j?=\r\n =?utf-8?B?5bqm?=.doc"', "季度.doc"),
]


@pytest.mark.parametrize(("value", "name"), NAMES)
def test_file_names_are_read_in_every_form(value: bytes, name: str) -> None:
    assert parameter.decoded(parameter.parse(value)[1], "filename") == name


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed(value: bytes) -> None:
    _value, found = parameter.parse(b"a/b; filename" + value)
    assert isinstance(parameter.decoded(found, "filename"), str)
