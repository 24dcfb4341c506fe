"""Icons and avatars."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.template import TemplateSyntaxError

from webmail.templatetags.webmail import avatar, icon


def test_an_icon_is_decoration() -> None:
    html = icon("mail")
    assert html.startswith('<svg class="icon"') and 'aria-hidden="true"' in html
    assert "style=" not in html


@pytest.mark.parametrize("name", ["../../../etc/passwd", "Mail", "", "a b", "x" * 50])
def test_only_names_of_icons_are_read(name: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        icon(name)


def test_every_icon_that_a_template_names_is_there() -> None:
    templates = "".join(path.read_text() for path in (settings.BASE_DIR / "templates").rglob("*.html"))
    names = set(re.findall(r'{% icon "([^"]+)" %}', templates))
    assert len(names) > 20
    for name in names:
        assert icon(name)


def test_an_avatar_escapes_its_person() -> None:
    html = avatar("<b>", '"x@y.test')
    assert "<b>" not in html.replace("<span class", "") or "&lt;" in html
    assert 'aria-hidden="true"' in html
