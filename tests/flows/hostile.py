"""Mails that are broken or meant to break something: name to bytes as they go through DATA."""

from __future__ import annotations

import base64
import io
import zipfile

from tests.data.hostile_html import HTML

HEAD = b"From: x@far.example\r\nTo: alice@example.test\r\nSubject: hostile\r\n"


def head(*lines: bytes) -> bytes:
    """A plain header with some lines more, and its end."""
    return HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def nested(depth: int) -> bytes:
    """Multiparts in multiparts; only the innermost has a text."""
    open_ = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return HEAD + open_ + b"Content-Type: text/plain\r\n\r\ndeep inside\r\n"


def wide(count: int) -> bytes:
    """Many small files."""
    part = b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=f%d.txt\r\n\r\nx\r\n"
    return head(b"Content-Type: multipart/mixed; boundary=b") + b"".join(part % n for n in range(count)) + b"--b--\r\n"


def attached(filename_lines: bytes, content: bytes = b"x", content_type: bytes = b"application/octet-stream") -> bytes:
    """A text and one file whose disposition is given whole."""
    return (
        head(b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=b")
        + b"--b\r\nContent-Type: text/plain\r\n\r\nsee the file\r\n--b\r\nContent-Type: "
        + content_type
        + b"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "
        + filename_lines
        + b"\r\n\r\n"
        + base64.encodebytes(content).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )


def bomb() -> bytes:
    """A zip of 30 KB that is 30 MB, ten times over, with names that lead out of a folder."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"../../{number}/etc/passwd", bytes(3_000_000))
    return packed.getvalue()


def html(source: str) -> bytes:
    """A mail of this HTML alone."""
    return head(
        b"MIME-Version: 1.0", b'Content-Type: text/html; charset="utf-8"', b"Content-Transfer-Encoding: base64"
    ) + (base64.encodebytes(source.encode("utf-8", "surrogatepass")).replace(b"\n", b"\r\n"))


STRUCTURE = {
    "nothing": b"",
    "header alone": b"Subject: header alone\r\n",
    "header that never ends": HEAD,
    "body alone": b"\r\nno header at all\r\n",
    "no colon anywhere": b"this is no header\r\nand this neither\r\n\r\nbody\r\n",
    "continuation first": b" folded from nowhere\r\nSubject: x\r\n\r\nbody\r\n",
    "thousand nested parts": nested(1_000),
    "ten thousand parts": wide(10_000),
    "boundary missing": head(b"Content-Type: multipart/mixed") + b"--x\r\n\r\ntext\r\n",
    "boundary empty": head(b'Content-Type: multipart/mixed; boundary=""') + b"--\r\n\r\ntext\r\n",
    "boundary of 5,000": head(b"Content-Type: multipart/mixed; boundary=" + b"b" * 5_000)
    + b"--"
    + b"b" * 5_000
    + b"\r\n\r\nx\r\n",
    "boundary in itself": head(b"Content-Type: multipart/mixed; boundary=a")
    + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n--a--\r\n",
    "parts that never end": head(b"Content-Type: multipart/alternative; boundary=a")
    + b"--a\r\nContent-Type: text/html\r\n\r\n<b>x\r\n",
    "mail in mail in mail": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 300 + b"Subject: inside\r\n\r\nx\r\n",
    "type repeated": head(b"Content-Type: text/plain", b"Content-Type: text/html", b"Content-Type: image/png")
    + b"<b>x</b>\r\n",
    "type nonsense": head(b'Content-Type: ;;;=/=; x="', b"Content-Transfer-Encoding: x-unknown") + b"text\r\n",
    "parameters without end": head(b"Content-Type: text/plain" + b"; a=b" * 20_000) + b"text\r\n",
    "partial and external": head(b'Content-Type: message/external-body; access-type=URL; URL="http://evil.example/"')
    + b"\r\nx\r\n",
    "calendar of nonsense": head(b"Content-Type: text/calendar; method=REQUEST") + b"BEGIN:VCALENDAR\r\nBEGIN:\r\n",
}
TEXTS = {
    "unknown charset": head(b"Content-Type: text/plain; charset=klingon") + b"caf\xe9\r\n",
    "charset that is a codec": head(b"Content-Type: text/plain; charset=zlib_codec") + b"x\xff\r\n",
    "charset idna and punycode": head(b"Content-Type: text/plain; charset=idna") + b"x\xff..\r\n",
    "charset of a path": head(b'Content-Type: text/plain; charset="../../etc/passwd"') + b"x\r\n",
    "utf-7": head(b"Content-Type: text/html; charset=utf-7") + b"+ADw-script+AD4-top.pwned=1+ADw-/script+AD4-\r\n",
    "utf-16 of odd length": head(b"Content-Type: text/plain; charset=utf-16") + b"\xff\xfea\0b\r\n",
    "surrogates": head(b"Content-Type: text/plain; charset=utf-8") + b"\xed\xa0\x80\xed\xb0\x80 \xf4\x90\x80\x80\r\n",
    "nul in the body": head(b"Content-Type: text/plain; charset=utf-8") + b"a\0b\0\r\n",
    "nul in the header": HEAD + b"X-A: a\0b\r\nMessage-ID: <a\0b@far.example>\r\n\r\nbody\r\n",
    "nul in the subject": b"Subject: a\0b\r\nFrom: \0 <a\0b@far.example>\r\nTo: \0\r\n\r\nbody\r\n",
    "nul in encoded words": b"Subject: =?utf-8?B?YQBi?=\r\nFrom: =?utf-8?Q?a=00b?= <x@far.example>\r\n\r\nbody\r\n",
    "nul in names of files": attached(b'attachment; filename="a\0b.txt"'),
    "nul as entities": html("a&#0;b&#x0;c<p title='&#0;'>"),
    "eight bits in the header": b"Subject: \xd6\xd0\xce\xc4\xff\r\nFrom: \xd5\xc5 <x@far.example>\r\nTo: \xff\xfe\r\n\r\n\xff\r\n",
    "surrogates in entities": html("&#xd800;&#xdfff;&#x110000;&#xffff; x"),
    "line of two megabytes": head() + b"a" * 2_000_000 + b"\r\n",
    "subject of a megabyte": b"Subject: " + b"a" * 300_000 + b"\r\n\r\nx\r\n",
    "broken base64": head(b"Content-Transfer-Encoding: base64") + b"!!!=A=B\r\n\xff\r\n",
    "base64 cut": head(b"Content-Type: text/html", b"Content-Transfer-Encoding: base64") + b"PGI+eDwvYj4x\r\nPGI\r\n",
    "broken quoted-printable": head(b"Content-Transfer-Encoding: quoted-printable") + b"=ZZ=\r\n=E4=B8=\r\n=\r\n",
    "uuencode without end": head(b"Content-Transfer-Encoding: x-uuencode") + b"begin 644 ../../x\r\n#0V%T\r\n",
    "ideographs without blanks": head(b"Content-Type: text/plain; charset=utf-8") + "中".encode() * 300_000 + b"\r\n",
    "right to left overrides": HEAD + b"Subject: =?utf-8?B?4oCuZ3BqLmV4ZeKAqw==?=\r\n" + b"\r\nx\r\n",
    "quotes a thousand deep": head() + b">" * 1_000 + b" deep\r\n" + b"> x\r\n" * 20_000,
    "links by the thousand": head() + b"http://example.test/a " * 20_000 + b"\r\n",
}
FIELDS = {
    "dates of nowhere": HEAD + b"Date: Thu, 99 Foo 99999 99:99:99 +9999\r\n\r\nx\r\n",
    "date of the year 1": HEAD + b"Date: Mon, 1 Jan 0001 00:00:00 +1400\r\n\r\nx\r\n",
    "date of the year 9999": HEAD + b"Date: Fri, 31 Dec 9999 23:59:59 -1200\r\n\r\nx\r\n",
    "date of no digits": HEAD + b"Date: \xd9\xa3 Jan \xd9\xa2\r\nDate: again\r\n\r\nx\r\n",
    "ten thousand addresses": b"From: x@far.example\r\nTo: "
    + b",\r\n ".join(b"p%d@example.test" % n for n in range(10_000))
    + b"\r\n\r\nx\r\n",
    "groups and comments": b"From: (a(b(c" + b"(" * 5_000 + b'\r\nTo: g:a@b,c@d;,"' + b"<" * 5_000 + b"\r\n\r\nx\r\n",
    "encoded words by the thousand": b"Subject: " + b"=?utf-8?B?5Lit?=\r\n " * 5_000 + b"x\r\n\r\nx\r\n",
    "encoded words in encoded words": b"Subject: =?utf-8?Q?=3D=3Futf-8=3FB=3FPHNjcmlwdD4=3D=3F=3D?=\r\n\r\nx\r\n",
    "script in every field": b'From: "<script>pwned=1</script>" <x@far.example>\r\nTo: <img src=x onerror=pwned=1>@x\r\n'
    b'Cc: "\'><svg onload=pwned=1>" <c@far.example>\r\nSubject: </title><script>pwned=1</script>\r\n'
    b'Date: <script>pwned=1</script>\r\nMessage-ID: <"><script>pwned=1</script>>\r\n\r\n<script>pwned=1</script>\r\n',
    "references by the thousand": HEAD + b"References: " + b"<r@far.example>\r\n " * 5_000 + b"<z>\r\n\r\nx\r\n",
    "references to itself": HEAD
    + b"Message-ID: <me@far.example>\r\nIn-Reply-To: <me@far.example>\r\nReferences: <me@far.example>\r\n\r\nx\r\n",
    "five thousand fields": HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + b"\r\nx\r\n",
    "receipt to nowhere": HEAD + b"Disposition-Notification-To: <<>>,,@\r\nReply-To: ;;;\r\nSender: \r\n\r\nx\r\n",
}
FILES = {
    "name that leads away": attached(b'attachment; filename="../../../etc/passwd"'),
    "name of a device": attached(b'attachment; filename="C:\\\\windows\\\\CON.txt"'),
    "name with lines": attached(b"attachment; filename*=utf-8''a%0d%0aSet-Cookie:%20x=1%0d%0a.txt"),
    "name of five thousand": attached(b'attachment; filename="' + b"a" * 5_000 + b'.txt"'),
    "name with a script": attached(
        b'attachment; filename="<img src=x onerror=pwned=1>.html"', b"<script>pwned=1</script>", b"text/html"
    ),
    "name that turns round": attached(b"attachment; filename*=utf-8''photo%E2%80%AEgpj.exe"),
    "name in pieces that miss": attached(b"attachment; filename*0=a; filename*2*=x''%ff; filename*9=c"),
    "name of dots": attached(b'attachment; filename="..."'),
    "name of nothing": attached(b'attachment; filename=""'),
    "name of surrogates": attached(b"attachment; filename*=utf-16''%d8%00%d8%00"),
    "page as a picture": attached(b'inline; filename="x.png"', b"<html><script>pwned=1</script>", b"image/png"),
    "picture of scripts": attached(b'inline; filename="x.svg"', b"<svg onload=pwned=1>", b"image/svg+xml"),
    "zip bomb": attached(b'attachment; filename="bomb.zip"', bomb(), b"application/zip"),
    "zip that is none": attached(b'attachment; filename="x.docx"', b"PK\x03\x04" + b"\xff" * 500, b"application/zip"),
}
MAILS: dict[str, bytes] = {
    **STRUCTURE,
    **TEXTS,
    **FIELDS,
    **FILES,
}
HTML_MAILS = {name: html(source) for name, source in HTML.items()}

BARE = {
    "bare CR": HEAD + b"\r\na\rb\r\n",
    "bare LF": HEAD + b"\r\na\nb\r\n",
    "smuggled end": HEAD + b"\r\na\n.\r\nMAIL FROM:<evil@far.example>\r\n",
    "bare LF in the header": b"Subject: a\nX-Evil: b\r\n\r\nx\r\n",
}
"""Refused: a server that reads line ends otherwise would see another mail in them (SMTP smuggling)."""
