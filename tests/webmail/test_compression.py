"""Pages are compressed where the browser takes it, and stay the same pages."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from webmail.middleware.compression import Compression

PAGE = b"<p>hello</p>" * 200


def answer(response: HttpResponse | StreamingHttpResponse, accepted: str = "gzip, br") -> HttpResponse:
    """What the middleware makes of a response."""
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepted})
    return Compression(lambda _: response)(request)  # type: ignore[arg-type,return-value]


def test_a_page_comes_back_whole_with_its_length() -> None:
    found = answer(HttpResponse(PAGE))
    assert found["Content-Encoding"] == "gzip"
    assert int(found["Content-Length"]) == len(found.content) < len(PAGE) / 5
    assert gzip.decompress(found.content) == PAGE
    assert "Accept-Encoding" in found["Vary"]


def test_a_name_of_random_length_hides_the_length_of_the_page() -> None:
    assert len({len(answer(HttpResponse(PAGE)).content) for _ in range(40)}) > 5


def test_a_browser_that_does_not_take_it_gets_the_page_as_it_is() -> None:
    found = answer(HttpResponse(PAGE), "identity")
    assert "Content-Encoding" not in found
    assert found.content == PAGE
    assert "Accept-Encoding" in found["Vary"]


@pytest.mark.parametrize("content", [b"short", b"short" * 30])
def test_what_is_short_is_left_alone(content: bytes) -> None:
    assert answer(HttpResponse(content)).content == content


def test_what_is_encoded_already_is_left_alone() -> None:
    found = answer(HttpResponse(PAGE, headers={"Content-Encoding": "br"}))
    assert found["Content-Encoding"] == "br"
    assert found.content == PAGE


def test_a_strong_tag_becomes_a_weak_one() -> None:
    assert answer(HttpResponse(PAGE, headers={"ETag": '"one"'}))["ETag"] == 'W/"one"'


def test_a_stream_is_compressed_as_it_flows() -> None:
    found = answer(StreamingHttpResponse(iter([PAGE, PAGE])))
    assert gzip.decompress(b"".join(found.streaming_content)) == PAGE * 2  # type: ignore[attr-defined]
