"""Names that are made to be taken for others: `examp1e.com`, `exarnple.com`, `example.cn` for `example.com`.

A domain has keys: its registered label as it looks (`skeleton`), and the same with each one character left out. Two
domains that share a key look alike, so a look-up by keys finds every name within one slip (a character more, less or
another, two exchanged), without comparing with all of them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from accounts.addressing import domain_key
from mta.authentication.dmarc import organisational_domain

SLIP_MIN_CHARS = 5
"""In shorter labels one other character makes an honest other name (`qq`, `126`, `ibm`)."""
LABEL_MIN_CHARS = 3
KEY_MAX_CHARS = 40

# What looks like a Latin letter: digits, Cyrillic and Greek (Unicode TR 39), then pairs.
_SAME = str.maketrans(
    "0158" + "авеіјкмнорсԛѕтухԁɡһ" + "οανρτυικ" + "ıℓ",
    "olsb" + "abeijkmhopcqstyxdgh" + "oavptuik" + "il",
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_LETTERS = re.compile(r"[^a-z0-9\u0080-\U0010ffff]")

_FREE_MAIL = """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.co.jp icloud.com me.com
    aol.com gmx.de gmx.net gmx.com web.de mail.ru yandex.ru proton.me protonmail.com qq.com vip.qq.com
    foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com aliyun.com 139.com 189.cn wo.cn 21cn.com
    tom.com naver.com hanmail.net
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
"""Where everybody has an address: such a domain says nothing about who writes."""


@functools.lru_cache(maxsize=4096)
def label_of(domain: str) -> str:
    """The label that somebody registered, as people read it; `example` of `mail.example.com.cn`."""
    label = organisational_domain(domain).partition(".")[0]
    if label.startswith("xn--"):
        try:
            return label.encode("ascii").decode("idna")
        except UnicodeError:
            return label
    return label


@functools.lru_cache(maxsize=4096)
def skeleton(label: str) -> str:
    """How it looks: digits and foreign letters as the Latin ones they resemble, without hyphens and accents."""
    folded = unicodedata.normalize("NFKD", label.lower())
    text = "".join(character for character in folded if not unicodedata.combining(character)).translate(_SAME)
    text = _LETTERS.sub("", text)
    for pair, one in _PAIRS:
        text = text.replace(pair, one)
    return text.replace("i", "l")


@functools.lru_cache(maxsize=4096)
def keys_of(domain: str) -> frozenset[str]:
    """What `domain` shares with every name that looks like it."""
    whole = skeleton(label_of(domain))[:KEY_MAX_CHARS]
    if len(whole) < LABEL_MIN_CHARS:
        return frozenset()
    if len(whole) < SLIP_MIN_CHARS:
        return frozenset({whole})
    return frozenset({whole, *_shortened(whole)})


def _shortened(text: str) -> Iterator[str]:
    return (text[:at] + text[at + 1 :] for at in range(len(text)))


def looks_like(domain: str, known: Iterable[str], *, ours: Collection[str] = ()) -> str:
    """The one of `known` that `domain` may be taken for; empty for none, and for a domain that is itself known, below one
    of them, or one of `ours`."""
    registered = organisational_domain(domain_key(domain) or domain)
    candidates = {organisational_domain(each) for each in known}
    if not registered or registered in candidates or registered in FREE_MAIL or registered in ours:
        return ""
    return min((each for each in candidates if _is_alike(registered, each)), default="")


def _is_alike(one: str, other: str) -> bool:
    first, second = skeleton(label_of(one)), skeleton(label_of(other))
    if min(len(first), len(second)) < LABEL_MIN_CHARS:
        return False
    if first == second:  # the same look, or the same name under another suffix, which is nothing at yahoo.co.uk
        return label_of(one) != label_of(other) or other not in FREE_MAIL
    if min(len(first), len(second)) < SLIP_MIN_CHARS:
        return False
    return _is_one_slip(first, second)


def _is_one_slip(one: str, other: str) -> bool:
    """One character more, less or another, or two neighbours exchanged (optimal string alignment of 1)."""
    if abs(len(one) - len(other)) > 1:
        return False
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if len(one) != len(other):
        longer, shorter = (one, other) if len(one) > len(other) else (other, one)
        return longer[at + 1 :] == shorter[at:]
    exchanged = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return one[at + 1 :] == other[at + 1 :] or exchanged
