"""The reading pane and what belongs to a mail: frame, pictures, files, source."""

from __future__ import annotations

import io
import zipfile
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from core import net
from core.errors import ErrorKind, MailError
from core.net import Fetched
from mailstore.fields import pack
from mailstore.models import Entry, Flag, Role
from tests.webmail.mails import PNG, browser_of, deliver, mail, with_files
from webmail import images, reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: Account) -> Client:
    """Alice's browser, in English."""
    return browser_of(alice)


def page(client: Client, entry_id: int, query: str = "") -> str:
    """The page of a mail."""
    folder_id = Entry.objects.get(pk=entry_id).folder_id
    answer = client.get(reverse("message", args=[folder_id, entry_id]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def frame(client: Client, entry_id: int, query: str = "") -> str:
    """The document in the frame."""
    return client.get(reverse("message_body", args=[entry_id]) + query).content.decode()


def test_a_mail_shows_its_subject_sender_and_text(client: Client, alice: Account) -> None:
    shown = page(client, deliver(alice, mail("Hello <Alice>\n> a\n> b\n> c")))
    assert "Price list" in shown
    assert "anna@lichtwerk.test" in shown
    assert "Hello &lt;Alice&gt;" in shown
    assert '<details class="quoted">' in shown


@pytest.mark.parametrize(
    ("sender", "said"), [("anna@lichtwerk.test", "Anna"), ("alice@example.test", "Bob, carol@b.test")]
)
def test_whom_a_quick_reply_goes_to_is_said(client: Client, alice: Account, sender: str, said: str) -> None:
    raw = f"From: Anna <{sender}>\r\nTo: Bob <bob@a.test>, carol@b.test\r\nSubject: x\r\n\r\nHello\r\n".encode()
    assert f'placeholder="Reply to {said}"' in page(client, deliver(alice, raw))


def test_reading_writes_nothing(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail())
    page(client, entry_id)
    frame(client, entry_id)
    assert not Entry.objects.get(pk=entry_id).flags & Flag.SEEN


def test_a_mail_that_moved_is_followed(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail())
    answer = client.get(reverse("message", args=[pack(alice.pk, 999), entry_id]))
    assert answer.status_code == 302
    assert str(Entry.objects.get(pk=entry_id).folder_id) in answer["Location"]


def test_the_frame_forbids_everything_but_own_pictures(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail(html='<p onclick="x()">Hi<script>bad()</script></p>'))
    answer = client.get(reverse("message_body", args=[entry_id]))
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self' data:;")
    assert "sandbox allow-same-origin allow-popups" in policy
    assert "allow-scripts" not in policy
    assert b"bad()" not in answer.content
    assert b"onclick" not in answer.content
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in page(client, entry_id)


def test_remote_pictures_wait_for_a_click(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, with_files())
    assert "Blocked: 1 remote picture" in page(client, entry_id)
    assert "message_image" not in frame(client, entry_id)
    assert "pictures.test" not in frame(client, entry_id)
    assert f"/message/{entry_id}/image?" in frame(client, entry_id, "?images=1")


def test_pictures_of_a_trusted_sender_are_always_shown(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, with_files())
    client.post(reverse("message_trust_images", args=[entry_id]))
    assert f"/message/{entry_id}/image?" in frame(client, entry_id)
    assert "Blocked" not in page(client, entry_id)


def test_junk_never_shows_remote_pictures(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, with_files(), role=Role.JUNK)
    client.post(reverse("message_trust_images", args=[entry_id]))
    assert "/image?" not in frame(client, entry_id, "?images=1")
    assert client.get(reading.picture_url(entry_id, "https://pictures.test/big.png")).status_code == 404


def test_the_proxy_fetches_only_what_the_mail_names(
    client: Client, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_id = deliver(alice, with_files())
    fetched: list[str] = []

    def fetch(url: str, **limits: object) -> Fetched:
        fetched.append(url)
        return Fetched("image/png", PNG)

    monkeypatch.setattr(net, "fetch", fetch)
    answer = client.get(reading.picture_url(entry_id, "https://pictures.test/big.png"))
    assert answer.content == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"].startswith("private")
    forged = reading.picture_url(entry_id, "https://pictures.test/big.png").replace("s=", "s=0")
    assert client.get(forged).status_code == 404
    assert client.get(reverse("message_image", args=[entry_id]) + "?u=%C3%A4&s=%C3%A4").status_code == 404
    assert fetched == ["https://pictures.test/big.png"]


def test_the_proxy_passes_on_nothing_but_raster_pictures(
    client: Client, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_id = deliver(alice, with_files())
    monkeypatch.setattr(net, "fetch", lambda url, **limits: Fetched("image/png", b"<svg onload='x()'></svg>"))
    assert client.get(reading.picture_url(entry_id, "https://pictures.test/a")).status_code == 404


def test_a_picture_that_can_not_be_had_is_404(client: Client, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str, **limits: object) -> Fetched:
        raise MailError(ErrorKind.UNAVAILABLE)

    entry_id = deliver(alice, with_files())
    monkeypatch.setattr(images.net, "fetch", fail)
    assert client.get(reading.picture_url(entry_id, "https://pictures.test/a")).status_code == 404


def test_pictures_of_the_mail_itself_come_by_content_id(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, with_files())
    url = reverse("message_cid", args=[entry_id])
    assert f"{url}?cid=logo%40x" in frame(client, entry_id)
    assert client.get(f"{url}?cid=logo%40x").content == PNG
    assert client.get(f"{url}?cid=other").status_code == 404
    assert client.get(url).status_code == 404


def test_files_are_downloads_with_their_chinese_names(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, with_files())
    shown = page(client, entry_id)
    assert "采购.pdf" in shown
    assert "logo.png" not in shown
    answer = client.get(reverse("attachment", args=[entry_id, "2"]))
    assert answer.content == b"%PDF-1.4"
    assert answer["Content-Disposition"] == f"attachment; filename*=utf-8''{quote('采购.pdf')}"


def test_an_html_file_is_never_shown_in_the_browser(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, with_files())
    answer = client.get(reverse("attachment", args=[entry_id, "3"]) + "?view=1")
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_picture_file_can_be_viewed(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, with_files())
    answer = client.get(reverse("attachment", args=[entry_id, "4"]) + "?view=1")
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")


def test_all_files_come_as_one_zip(client: Client, alice: Account) -> None:
    answer = client.get(reverse("attachments", args=[deliver(alice, with_files())]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as packed:  # type: ignore[attr-defined]
        assert packed.namelist() == ["采购.pdf", "page.html", "photo.png"]


def test_the_original_is_what_was_received(client: Client, alice: Account) -> None:
    raw = mail()
    entry_id = deliver(alice, raw)
    answer = client.get(reverse("original", args=[entry_id]))
    assert answer.content == raw
    assert answer["Content-Disposition"].startswith("attachment")


def test_the_source_is_text(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail(html="<script>bad()</script>"))
    shown = client.get(reverse("source", args=[entry_id])).content.decode()
    assert "&lt;script&gt;bad()" in shown
    assert "1@lichtwerk.test" in shown


def test_a_conversation_lists_its_other_mail(client: Client, alice: Account) -> None:
    first = deliver(alice, mail("The very first"))
    second = deliver(
        alice, mail("And then", Message_ID="<9@b.test>", In_Reply_To="<1@lichtwerk.test>", From="Bo <bo@b.test>")
    )
    assert "And then" in page(client, first)
    assert "The very first" in page(client, second)


@pytest.mark.parametrize("number", ["99", "1.9", "0", "x", "1" * 400, "..%2f"])
def test_a_part_that_is_not_there_is_404(client: Client, alice: Account, number: str) -> None:
    entry_id = deliver(alice, mail())
    assert client.get(f"/message/{entry_id}/part/{number}").status_code == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 50,
        b"Subject: x",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 1000,
        b"From: \xff\xfe\r\nSubject: =?bad?Q?=FF?=\r\nContent-Type: text/html; charset=nope\r\n\r\n\xff<p",
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 5000,
    ],
)
def test_whatever_arrives_is_a_readable_page(client: Client, alice: Account, raw: bytes) -> None:
    entry_id = deliver(alice, raw)
    page(client, entry_id)
    for name in ("message_body", "source", "original", "attachments"):
        assert client.get(reverse(name, args=[entry_id])).status_code == 200


def addresses(entry_id: int, folder_id: int) -> list[str]:
    """Every address that belongs to a mail."""
    plain = ["message_body", "message_cid", "attachments", "source", "original"]
    return [
        reverse("message", args=[folder_id, entry_id]),
        *(reverse(name, args=[entry_id]) for name in plain),
        reverse("attachment", args=[entry_id, "1"]),
        reading.picture_url(entry_id, "https://pictures.test/big.png"),
    ]


def test_a_stranger_finds_nothing(client: Client, bob: Account, charlie: Account) -> None:
    for owner in (bob, charlie):
        entry_id = deliver(owner, with_files())
        folder_id = Entry.objects.get(pk=entry_id).folder_id
        for url in addresses(entry_id, folder_id):
            assert client.get(url).status_code == 404, url
        assert client.post(reverse("message_trust_images", args=[entry_id])).status_code == 404


@pytest.mark.parametrize("entry_id", [0, 1, 2**62, 2**63 - 1, 2**63, 10**30])
def test_an_id_of_nothing_is_404(client: Client, entry_id: int) -> None:
    for url in (
        f"/message/{entry_id}/body",
        f"/mail/1/{entry_id}/",
        f"/mail/{entry_id}/{entry_id}/",
        f"/compose/{entry_id}/",
    ):
        assert client.get(url).status_code == 404


def test_nobody_reads_without_signing_in(client: Client, alice: Account) -> None:
    entry_id = deliver(alice, mail())
    for url in addresses(entry_id, Entry.objects.get(pk=entry_id).folder_id):
        assert Client().get(url).status_code == 302
