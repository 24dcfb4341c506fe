"""The form of a label's name and colour."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.services.keywords import MAX_LABEL_CHARS
from webmail.labels import COLOURS


class LabelForm(forms.Form):
    """`name`, and `colour` by its word."""

    name = forms.CharField(label=_("Name"), max_length=MAX_LABEL_CHARS, strip=True)
    colour = forms.ChoiceField(
        label=_("Colour"),
        choices=[(name, word) for name, (_hex, word) in COLOURS.items()],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs.update(autofocus=True, autocomplete="off")
        if self.is_bound and self.errors.get("name"):
            self.fields["name"].widget.attrs.update({"aria-invalid": "true", "aria-describedby": "id_name_error"})
