"""HTML from the editor made safe and ready for other people's mail programs.

Style sheets go into style attributes, because many mail programs drop them; then the same cleaning as for
reading, but pictures keep their address: cid: for attached ones, http(s), small data: pictures.
"""

from __future__ import annotations

import css_inline

from documents.html import allowed
from documents.html.bound import MAX_CHARS, bounded
from documents.html.clean import clean_fragment, style_sheets
from documents.html.css import clean_sheet, clean_style

# Inlining is selectors × elements: bigger things are sent without.
MAX_INLINED_CHARS = 300_000


def clean_for_sending(html: str) -> str:
    """The editor's HTML as a fragment that is safe to send. Never raises; bounded."""
    sheet = clean_sheet(style_sheets(html[:MAX_CHARS]))
    body = clean_fragment(bounded(html), link_rel=None, attribute_filter=_keep)
    if sheet and len(body) + len(sheet) <= MAX_INLINED_CHARS:
        body = clean_fragment(_inlined(body, sheet), link_rel=None, attribute_filter=_keep)
    return body.strip()


def _inlined(body: str, sheet: str) -> str:
    try:
        return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False).inline_fragment(body, sheet)
    except (css_inline.InlineError, ValueError):
        return body


def _keep(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        return clean_style(value) or None
    if name == "href":
        return allowed.link_target(value)
    if name in ("src", "background"):
        return _source(allowed.plain_url(value))
    return value[:2_000]


def _source(url: str) -> str | None:
    if url[:5].lower() == "data:":
        return url if allowed.is_data_image(url) else None
    is_known = url[:8].lower().startswith(("cid:", "http://", "https://"))
    return url if is_known and len(url) <= allowed.MAX_URL_CHARS else None
