"""The Authentication-Results field (RFC 8601): written for what was judged here, and read back for people.

What strangers chose (domains, reasons from their records) is cut to harmless characters, so no value can end early or
add a result of its own.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping

from mta.authentication.arc import ArcResult
from mta.authentication.dkim import DkimResult
from mta.authentication.dmarc import DmarcResult
from mta.authentication.outcome import Outcome
from mta.authentication.spf import SpfResult

REASON_MAX = 120
VALUE_MAX = 255

_NOT_VALUE = re.compile(r"[^A-Za-z0-9.\-_@+=/:]")
_NOT_REASON = re.compile(r"[^ !#-\[\]-~]")
_RESULT = re.compile(
    r"\s*(?P<method>[a-z]+)=(?P<outcome>[a-z]+)"
    r"(?:\s+\((?P<comment>[^()]*)\))?(?:\s+reason=\"(?P<reason>[^\"]*)\")?(?P<properties>(?:\s+[a-z.\-]+=[^\s;]+)*)\s*"
)
_PROPERTY = re.compile(r"([a-z.\-]+)=([^\s;]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that was found out about one mail."""

    spf: SpfResult
    dkim: tuple[DkimResult, ...]
    dmarc: DmarcResult
    arc: ArcResult

    def field(self, host: str) -> bytes:
        """The header field, with its CRLF."""
        return f"Authentication-Results: {self.value(host)}\r\n".encode()

    def value(self, host: str) -> str:
        """Its value, folded."""
        return ";\r\n\t".join([host, *self._results()])

    def _results(self) -> Iterator[str]:
        yield _spf(self.spf)
        yield from map(_dkim, self.dkim) if self.dkim else ("dkim=none",)
        yield _dmarc(self.dmarc)
        if self.arc.outcome is not Outcome.NONE:
            yield _result("arc", self.arc.outcome, self.arc.reason, {"header.d": self.arc.sealers[-1:]})


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """One result as it stands in a field."""

    method: str
    outcome: str
    reason: str
    properties: dict[str, str]
    comment: str = ""


def read_results(value: str) -> tuple[str, list[Told]]:
    """Host and results of a value in the form that we write; results in another form are left out."""
    host, *pieces = value.split(";")
    found = [_RESULT.fullmatch(piece) for piece in pieces]
    return host.strip(), [_told(match) for match in found if match is not None]


def _told(match: re.Match[str]) -> Told:
    properties = dict(_PROPERTY.findall(match["properties"]))
    return Told(match["method"], match["outcome"], match["reason"] or "", properties, match["comment"] or "")


def _spf(result: SpfResult) -> str:
    name = "smtp.mailfrom" if result.scope == "mailfrom" else "smtp.helo"
    return _result("spf", result.outcome, result.reason, {name: (result.domain,)})


def _dkim(result: DkimResult) -> str:
    properties = {
        "header.d": (result.domain,),
        "header.s": (result.selector,),
        "header.a": (result.algorithm,),
        "header.b": (result.mark,),
    }
    return _result("dkim", result.outcome, result.reason, properties)


def _dmarc(result: DmarcResult) -> str:
    comment = f"p={result.record.policy_for(result.domain)}" if result.record else ""
    return _result("dmarc", result.outcome, result.reason, {"header.from": (result.domain,)}, comment)


def _result(
    method: str, outcome: Outcome, reason: str, properties: Mapping[str, tuple[str, ...]], comment: str = ""
) -> str:
    words = [f"{method}={outcome}"]
    if comment:
        words.append(f"({comment})")
    if reason:
        words.append(f'reason="{_NOT_REASON.sub("?", reason)[:REASON_MAX].replace(";", ",")}"')
    cut = ((name, value[:VALUE_MAX]) for name, values in properties.items() for value in values if value)
    words += [f"{name}={_clean(value)}" for name, value in cut]
    return _fold(words)


@functools.lru_cache(maxsize=2_048)  # of what is cut before, so half a megabyte
def _clean(value: str) -> str:
    return _NOT_VALUE.sub("_", value)


def _fold(words: list[str]) -> str:
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) > 75:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return "\r\n\t ".join(lines)
