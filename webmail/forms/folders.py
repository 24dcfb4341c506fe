"""The form of a folder's name and place."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.selectors.folders import FolderRow


class FolderForm(forms.Form):
    """`name`, and below which of one's own folders (0: at the top)."""

    name = forms.CharField(label=_("Name"), max_length=60, strip=True)
    parent = forms.TypedChoiceField(label=_("Inside"), coerce=int, required=False, empty_value=0)  # type: ignore[arg-type]

    def __init__(self, *args: Any, parents: list[FolderRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("0", _("Top level")), *((str(row.id), "　" * row.depth + row.name) for row in parents)]
        self.fields["parent"].choices = choices  # type: ignore[attr-defined]
        self.fields["name"].widget.attrs.update(autofocus=True, autocomplete="off")
