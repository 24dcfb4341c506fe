"""Answers with strangers' bytes."""

from __future__ import annotations

import io
import zipfile

import pytest

from webmail import untrusted


@pytest.mark.parametrize(
    "claimed", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "multipart/mixed"]
)
def test_a_download_is_never_named_as_something_a_browser_runs(claimed: str) -> None:
    response = untrusted.download(b"<script>", filename="a.html", content_type=claimed)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "script" not in response["Content-Security-Policy"]


def test_a_chinese_name_is_written_as_rfc_6266_wants_it() -> None:
    response = untrusted.download(b"x", filename="采购清单 2026.xlsx")
    assert response["Content-Disposition"] == (
        "attachment; filename*=utf-8''%E9%87%87%E8%B4%AD%E6%B8%85%E5%8D%95%202026.xlsx"
    )


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nX: y.txt", "../../etc/passwd", "\u202egpj.exe", "\x00", ""])
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    disposition = untrusted.download(b"x", filename=name)["Content-Disposition"]
    assert "\r" not in disposition
    assert "\n" not in disposition
    assert "/" not in disposition.partition("''")[0]


def test_files_of_the_same_name_get_a_number_in_the_zip() -> None:
    files = [("报价.pdf", b"1"), ("报价.PDF", b"2"), ("../报价.pdf", b"3"), ("x", b""), ("x", b"5")]
    packed = b"".join(untrusted.archive(files, filename="a.zip"))  # type: ignore[arg-type]
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["报价.pdf", "报价 (2).PDF", "报价 (3).pdf", "x", "x (2)"]
        assert archive.read("报价 (3).pdf") == b"3"
