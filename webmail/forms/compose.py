"""The composer's form: what a browser with or without scripts posts."""

from __future__ import annotations

from typing import Any

from django import forms

MAX_LIST_CHARS = 200_000
MAX_SUBJECT_CHARS = 2_000
MAX_TEXT_CHARS = 4_000_000

FLAGS = ("high_priority", "save_to_sent", "receipt", "individual")
"""The footer's flags, in the manual's order (4.1.8)."""


class ComposeForm(forms.Form):
    """A draft's content. Nothing of it is required: a half-written mail can always be saved."""

    revision = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    identity = forms.CharField(max_length=320, required=False)
    to = forms.CharField(max_length=MAX_LIST_CHARS, required=False)
    cc = forms.CharField(max_length=MAX_LIST_CHARS, required=False)
    bcc = forms.CharField(max_length=MAX_LIST_CHARS, required=False)
    subject = forms.CharField(max_length=MAX_SUBJECT_CHARS, required=False)
    format = forms.ChoiceField(choices=[("html", "html"), ("plain", "plain")], required=False)
    html = forms.CharField(max_length=MAX_TEXT_CHARS, required=False, strip=False)
    text = forms.CharField(max_length=MAX_TEXT_CHARS, required=False, strip=False)
    high_priority = forms.BooleanField(required=False)
    save_to_sent = forms.BooleanField(required=False)
    receipt = forms.BooleanField(required=False)
    individual = forms.BooleanField(required=False)
    schedule_at = forms.CharField(max_length=40, required=False)
    next = forms.CharField(max_length=2_000, required=False)

    def clean(self) -> dict[str, Any]:
        """One of HTML and text is the truth; the other follows from it."""
        content: dict[str, Any] = super().clean() or {}
        content["subject"] = " ".join(content.get("subject", "").split())
        content["is_plain"] = content.get("format") != "html"
        if content["is_plain"]:
            content["html"] = ""
        content["options"] = {name: bool(content.get(name)) for name in FLAGS}
        return content
