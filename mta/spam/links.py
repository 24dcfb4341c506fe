"""Links that are not what they seem."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from mta.authentication.dmarc import organisational_domain
from mta.spam.contents import Link
from mta.spam.finding import Finding, Rule
from mta.spam.names import keys_of, looks_like

_SHORTENERS = """
    bit.ly t.co t.cn url.cn w.url.cn dwz.cn suo.im suo.nz tinyurl.com goo.gl is.gd ow.ly buff.ly rebrand.ly
    cutt.ly rb.gy shorturl.at lnkd.in mrw.so sourl.cn
"""
SHORTENERS = frozenset(_SHORTENERS.split())
SHORTENED_MANY = 3
_SHOWN_HOST = re.compile(r"(?i)^(?:https?://)?((?:[a-z0-9-]{1,63}\.)+[a-z]{2,24})(?:[/:?#]|$)")


def judge_links(links: Collection[Link], *, sender_domain: str, ours: Collection[str]) -> Iterator[Finding]:
    """Each rule once, with the first link that it matched. `ours` are the company's own domains."""
    hosts = {link: host for link in links if (host := host_of(link.target))}
    sender = organisational_domain(sender_domain)
    found: dict[Rule, Finding] = {}
    for link, host in hosts.items():
        for finding in _of_link(link, host, sender, ours):
            found.setdefault(finding.rule, finding)
    yield from found.values()
    shortened = sorted({host for host in hosts.values() if host in SHORTENERS})
    count = sum(host in SHORTENERS for host in hosts.values())
    if shortened:
        yield Finding(Rule.LINK_SHORTENED, 20 if count >= SHORTENED_MANY else 8, (shortened[0],))


def host_of(target: str) -> str:
    """The host that a browser would go to, in lower case; empty for nonsense."""
    try:
        return (urlsplit(target).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _of_link(link: Link, host: str, sender: str, ours: Collection[str]) -> Iterator[Finding]:
    if "@" in urlsplit(link.target).netloc:
        yield Finding(Rule.LINK_DISGUISED, 25, (host,))
    if _is_address(host):
        yield Finding(Rule.LINK_NUMERIC, 20, (host,))
        return
    if "xn--" in host:
        yield Finding(Rule.LINK_PUNYCODE, 15, (host,))
    registered = organisational_domain(host)
    shown = _SHOWN_HOST.match(link.shown)
    if shown is not None and registered != sender:
        claimed = organisational_domain(shown[1].lower())
        if claimed != registered:
            yield Finding(Rule.LINK_DIFFERS, 20, (claimed, host))
    alike = looks_like(registered, ours) if keys_of(registered) else ""
    if alike and registered != sender:
        yield Finding(Rule.LINK_LOOKALIKE, 30, (host, alike))


@functools.lru_cache(maxsize=4_096)
def _is_address(host: str) -> bool:
    """In any notation that browsers take: 192.0.2.1, 3221225985, 0xC0000201, [2001:db8::1]."""
    if re.fullmatch(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}", host):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
