"""邮件收发 and 邮件撤回及投递状态: how one sends."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class SendingForm(forms.Form):
    """18.1.5 and 18.4.3 of the manual."""

    keeps_web_mail = forms.TypedChoiceField(
        label=_("Mail sent in the webmail"),
        choices=[("1", _("Save to Sent")), ("", _("Do not save"))],
        coerce=bool,
        empty_value="",
        required=False,
        widget=forms.RadioSelect,
    )
    keeps_program_mail = forms.TypedChoiceField(
        label=_("Mail sent by Foxmail, Outlook and other programs"),
        choices=[("", _("Do not save")), ("1", _("Save to Sent"))],
        coerce=bool,
        empty_value="",
        required=False,
        widget=forms.RadioSelect,
        help_text=_("For POP programs. Programs that use IMAP save their mail themselves; it is not there twice."),
    )
    follows = forms.TypedChoiceField(
        label=_("Recall and delivery status"),
        choices=[("1", _("On")), ("", _("Off"))],
        coerce=bool,
        empty_value="",
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Follows every mail sent from now on: its status for 30 days, its recall for 15."),
    )
