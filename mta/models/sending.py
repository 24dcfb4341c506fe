"""How an account sends, and what has become of mail it wants back."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.fields import PackedIdField
from mta.models.outgoing import Submission


class SendSettings(models.Model):
    """18.1.5 and 18.4.3 of the manual. No row means every default."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    keeps_web_mail = models.BooleanField(_("save mail sent in the webmail to Sent"), default=True)
    keeps_program_mail = models.BooleanField(_("save mail sent by mail programs to Sent"), default=False)
    follows = models.BooleanField(_("recall and delivery status"), default=False)

    def __str__(self) -> str:
        return f"sending of {self.account_id}"


class Opening(models.Model):
    """A message of a colleague whose body somebody has had: shown in the webmail, or fetched by a mail program that did
    not say so by \\Seen (BODY.PEEK, RETR). A recall takes it for read. Kept as long as mail can be recalled."""

    message_id = PackedIdField(primary_key=True)
    at_us = models.BigIntegerField(db_index=True)


class Recall(models.Model):
    """Somebody wants a mail back. One that is not finished is gone on with by the sweep."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="recalls")
    actor_id = models.BigIntegerField()
    is_admin = models.BooleanField(default=False)
    """An administrator's: what was read goes too."""
    requested_us = models.BigIntegerField()
    finished_us = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["requested_us"], condition=models.Q(finished_us=None), name="recall_unfinished")
        ]


class RecallOutcome(models.Model):
    """What came of it for one recipient; members of a group each have their own."""

    class Result(models.TextChoices):
        RECALLED = "recalled", _("Recalled")
        READ = "read", _("Already read")
        EXTERNAL = "external", _("Outside this mail system")
        FETCHED = "fetched", _("Already fetched by a mail program")
        STOPPED = "stopped", _("Sending stopped")
        FAILED = "failed", _("Failed")

    recall = models.ForeignKey(Recall, models.CASCADE, related_name="outcomes")
    recipient = models.CharField(max_length=320)
    """The address that the mail was sent to."""
    address = models.CharField(max_length=320)
    """Whose copy it is: a member's address where `recipient` is a group."""
    result = models.CharField(max_length=10, choices=Result.choices)
    at_us = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["recall", "address"], name="recall_outcome_once")]
