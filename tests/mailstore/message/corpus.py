"""The messages of tests/data, and made ones in every shape that the standard library can write."""

from __future__ import annotations

import pathlib
from email.message import EmailMessage
from email.policy import SMTP

from hypothesis import strategies as st

DATA = pathlib.Path(__file__).parents[2] / "data"
NAMES = sorted(path.stem for path in DATA.glob("*.eml"))


def message(name: str) -> bytes:
    """The bytes of tests/data/<name>.eml."""
    return (DATA / f"{name}.eml").read_bytes()


def nested(depth: int) -> bytes:
    """A multipart in a multipart, `depth` times, with a text inside."""
    levels = [b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)]
    return b"Subject: deep\r\n" + b"".join(levels) + b"\r\nat the bottom\r\n"


words = st.text('abc DEF 你好報價é=?_,;"<>@', min_size=1, max_size=30).map(str.strip).filter(bool)
bodies = st.text("abc \n.-=你好é", max_size=200)
attachments = st.tuples(st.binary(max_size=200), words)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A well-formed message as the standard library writes it."""
    made = EmailMessage(policy=SMTP)
    made["Subject"] = draw(words)
    made["From"] = "Alice Wang <alice@example.test>"
    made["To"] = "bob@example.test, Carol <carol@example.test>"
    made.set_content(draw(bodies), cte=draw(st.sampled_from(["base64", "quoted-printable", "8bit"])))
    if draw(st.booleans()):
        made.add_alternative(draw(bodies), subtype="html")
    for content, name in draw(st.lists(attachments, max_size=3)):
        made.add_attachment(content, "application", "pdf", filename=f"{name}.pdf")
    if draw(st.booleans()):
        inner = EmailMessage(policy=SMTP)
        inner["Subject"] = "inner"
        inner.set_content(draw(bodies))
        made.add_attachment(inner)
    for number, part in enumerate(made.walk()):
        if part.get_content_maintype() == "multipart":
            # The library would make one by chance.
            part.set_boundary(f"===boundary{number}==")
    return made.as_bytes()
