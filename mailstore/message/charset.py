"""Bytes to text, whatever the label says: what real mail carries, Chinese mail above all.

A label is believed when the bytes agree with it; otherwise UTF-8 is tried, then GB18030 and Big5 by how many
everyday characters come out, and chardet last, on a bounded sample. Never raises; never returns NUL or a lone
surrogate (PostgreSQL refuses both). Only text charsets on the list below are looked up: Python's registry also
holds codecs of quadratic time (punycode) and such that are no charset at all.
"""

from __future__ import annotations

import codecs
import functools
import re

import chardet

SAMPLE_BYTES = 4096
"""chardet is linear but slow; the first 4 KB decide."""

# GB18030 holds GBK and GB2312; senders label GBK "gb2312" (requirements: Foxmail, old Outlook).
_GB = "gb2312 gbk gb18030 x-gbk cp936 ms936 936 windows-936 gb_2312-80 gb2312-80 csgb2312 chinese euc-cn euccn gb"
_ALIASES = {
    **dict.fromkeys(_GB.split(), "gb18030"),
    **dict.fromkeys(["big5", "big-5", "cn-big5", "csbig5", "x-x-big5", "cp950", "ms950", "big5-eten"], "cp950"),
    **dict.fromkeys(["big5-hkscs", "big5hkscs", "hkscs"], "big5hkscs"),
    **dict.fromkeys(["utf-8", "utf8", "utf_8", "utf-8mb4", "unicode-1-1-utf-8", "unicode", "utf-8-sig"], "utf-8"),
    # WHATWG Encoding: the Windows code page is what senders of Latin-1 mean.
    **dict.fromkeys(["iso-8859-1", "latin1", "latin-1", "iso8859-1", "iso_8859-1", "windows-1252", "cp1252"], "cp1252"),
    **dict.fromkeys(["shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j", "cp932"], "cp932"),
    **dict.fromkeys(["euc-kr", "ks_c_5601-1987", "ksc5601", "ks_c_5601", "korean", "cp949", "windows-949"], "cp949"),
    **dict.fromkeys(["utf-7", "unicode-1-1-utf-7"], "utf-7"),
    **dict.fromkeys(["hz", "hz-gb-2312", "hzgb"], "hz"),
    **dict.fromkeys(["euc-tw", "x-euc-tw"], "cp950"),
}
_PYTHON_CHARSETS = frozenset(
    [
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        "iso2022_jp",
        "iso2022_jp_1",
        "iso2022_jp_2",
        "iso2022_jp_3",
        "iso2022_jp_ext",
        "iso2022_kr",
        "euc_jp",
        "euc_jis_2004",
        "koi8-r",
        "koi8-u",
        "mac-roman",
        "cp437",
        "cp850",
        "cp852",
        "cp855",
        "cp866",
        "cp874",
        "johab",
        "tis-620",
        "cp1250",
        "cp1251",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "iso8859-2",
        "iso8859-3",
        "iso8859-4",
        "iso8859-5",
        "iso8859-6",
        "iso8859-7",
        "iso8859-8",
        "iso8859-9",
        "iso8859-10",
        "iso8859-11",
        "iso8859-13",
        "iso8859-14",
        "iso8859-15",
        "iso8859-16",
        "big5",
        "gb2312",
        "gbk",
        "shift_jis",
        "shift_jis_2004",
        "euc_kr",
    ]
)
_CJK = frozenset({"gb18030", "cp950", "big5hkscs", "cp932", "cp949"})
_FAMILY = {"cp950": ("cp950", "big5hkscs"), "big5hkscs": ("big5hkscs", "cp950")}

_COMMON = frozenset(
    "的一是不了在有人我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经"
    "么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全"
    "三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任"
    "常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场"
    "件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求"
    "据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运您请谢议邮箱附件收复周下午项目合同会议客户订单付款明天通知"
    "這個們來為國說時會對於著過發後裡種經麼學現當沒動還進樣開從實軍無與長機問應戰頭體見產將兩間關點業請謝議郵複項訂單寫給認條題報"
    "結員論處義記電數變總門東車愛書買賣資料專案檔案聯絡電話傳真您好如附公司產品報價確認會議時間網路價錢經理先生小姐"
)
_HIGH = re.compile(rb"[\x80-\xff]")
_UTF8_HANZI = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LABEL_JUNK = " \t\r\n\"'.,;:=<>()"


@functools.lru_cache(maxsize=512)
def codec_of(label: str) -> str | None:
    """The Python codec for a charset label, or None when it is unknown or says nothing (us-ascii, unknown-8bit)."""
    name = label.strip(_LABEL_JUNK).lower()[:40]
    if name in _ALIASES:
        return _ALIASES[name]
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return None
    return known if known in _PYTHON_CHARSETS else None


def decode(data: bytes, label: str = "", *, truncated: bool = False) -> str:
    """`data` as text. `truncated` says that the end may cut a character: it is then left out."""
    if data.isascii() and b"\x1b" not in data and b"~{" not in data and b"+" not in data and b"\0" not in data:
        return data.decode("ascii")
    codec = codec_of(label) if label else None
    if codec == "utf-8" and (text := _strict(data, codec, truncated)) is not None:
        return text.replace("\0", "") if "\0" in text else text  # it has no surrogates
    text = _labelled(data, codec, truncated) if codec else None
    if text is None:
        text = _unlabelled(data, codec, truncated)
    return scalar(text)


def scalar(text: str) -> str:
    """Without NUL and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()  # a tenth of the time of a pattern, and it meets none but surrogates
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _labelled(data: bytes, codec: str, truncated: bool) -> str | None:
    """Decoded as labelled, or None when the bytes say that the label is wrong."""
    if codec != "utf-8" and _is_chinese_utf8(data, truncated):
        return _strict(data, "utf-8", truncated)
    for candidate in _FAMILY.get(codec, (codec,)):
        text = _strict(data, candidate, truncated)
        if text is not None:
            return text
    return None


def _is_chinese_utf8(data: bytes, truncated: bool) -> bool:
    """Whether bytes under another label are UTF-8: valid, and all that is not ASCII is Han or its punctuation."""
    if _strict(data, "utf-8", truncated) is None or len(_UTF8_HANZI.findall(data[:SAMPLE_BYTES])) < 2:
        return False
    rest = _UTF8_HANZI.sub(b"", data)
    return len(_HIGH.findall(rest)) <= (2 if truncated else 0)


def _strict(data: bytes, codec: str, truncated: bool) -> str | None:
    try:
        if truncated:
            return codecs.getincrementaldecoder(codec)("strict").decode(data, final=False)
        return data.decode(codec)
    except (UnicodeError, ValueError, OverflowError):
        return None


def _unlabelled(data: bytes, codec: str | None, truncated: bool) -> str:
    """The most credible reading of bytes whose label is missing or wrong."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    text = _strict(data, "utf-8", truncated)
    if text is not None:
        return text
    guess = detect(data)
    if codec and not _worse(data, codec, guess):
        guess = codec
    return data.decode(guess, "replace")


def _worse(data: bytes, codec: str, guess: str) -> bool:
    """Whether the labelled codec damages more of the text than the guessed one."""
    sample = data[:SAMPLE_BYTES]
    return sample.decode(codec, "replace").count("\ufffd") > 2 * sample.decode(guess, "replace").count("\ufffd") + 2


def detect(data: bytes) -> str:
    """The codec that 8-bit bytes without a usable label are most likely in; `cp1252` when nothing fits."""
    sample = data[:SAMPLE_BYTES]
    scores = {codec: _everyday(sample, codec) for codec in ("gb18030", "cp950")}
    best = max(scores, key=lambda codec: scores[codec])
    if scores[best] >= 0.12 and scores[best] > 1.5 * min(scores.values()):
        return best
    if _mostly(sample, "utf-8"):
        return "utf-8"
    found = chardet.detect(sample).get("encoding")
    codec = codec_of(found) if found else None
    if codec:
        return codec
    return best if scores[best] > 0.3 else "cp1252"


def _everyday(sample: bytes, codec: str) -> float:
    """Of the characters that are not ASCII, the part that are everyday Chinese; damage counts against."""
    text = [c for c in sample.decode(codec, "replace") if c > "\x7f"]
    if not text:
        return 0.0
    hits = sum(c in _COMMON for c in text) - 2 * text.count("\ufffd")
    return max(0.0, hits / len(text))


def _mostly(sample: bytes, codec: str) -> bool:
    """Whether a few broken characters are all that speaks against `codec`."""
    text = sample.decode(codec, "replace")
    high = sum(c > "\x7f" for c in text)
    return high > 0 and text.count("\ufffd") <= high // 10
