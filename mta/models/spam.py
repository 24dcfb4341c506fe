"""What a company has learnt about mail: words, senders, whom it writes to. All of it is bounded and forgotten in time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Account, Domain


class SpamCorpus(models.Model):
    """How many mails were learnt for a domain (`account_id` 0) or one of its accounts."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+")
    account_id = models.BigIntegerField(default=0)
    spam = models.IntegerField(default=0)
    ham = models.IntegerField(default=0)
    aged_on = models.DateField(null=True)
    """When its counts were halved last."""
    met_until_us = models.BigIntegerField(default=0, db_default=0)
    """Of a domain: correspondents of its accounts are known up to here."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["domain", "account_id"], name="spam_corpus_once")]
        indexes: ClassVar = [models.Index(fields=["account_id"], name="spam_corpus_account")]


class SpamToken(models.Model):
    """In how many of those mails a word stood."""

    domain_id = models.BigIntegerField()
    account_id = models.BigIntegerField(default=0)
    token = models.CharField(max_length=64)
    spam = models.IntegerField(default=0)
    ham = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["domain_id", "account_id", "token"], name="spam_token_once")
        ]


class KnownSender(models.Model):
    """What became of the mail of an address or of a domain here, and whether somebody here wrote there."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+")
    name = models.CharField(max_length=254)
    passed = models.IntegerField(default=0)
    flagged = models.IntegerField(default=0)
    """Put aside by judging."""
    reported = models.IntegerField(default=0)
    """Put into Junk by people."""
    cleared = models.IntegerField(default=0)
    """Taken out of it by people."""
    written = models.IntegerField(default=0)
    """People here who have written there (domains alone)."""
    seen_on = models.DateField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["domain", "name"], name="known_sender_once")]
        indexes: ClassVar = [models.Index(fields=["seen_on"], name="known_sender_seen")]


class LookalikeKey(models.Model):
    """A form of a partner's domain that a deceptive name shares with it (`mta.spam.names.keys_of`)."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    name = models.CharField(max_length=254)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["domain", "key", "name"], name="lookalike_key_once")]


class SpamLesson(models.Model):
    """What a person said about a mail by moving it, and what was learnt of it so far."""

    class Lesson(models.TextChoices):
        NONE = "", ""
        SPAM = "spam", "spam"
        HAM = "ham", "ham"
        COMPANION = "read", "read"
        """Wanted mail by its having been read and left where it was."""

    message_id = models.BigIntegerField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    wanted = models.CharField(max_length=4, choices=Lesson.choices)
    learnt = models.CharField(max_length=4, choices=Lesson.choices, blank=True)
    at_us = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["at_us"], condition=~models.Q(wanted=models.F("learnt")), name="spam_lesson_todo"),
            models.Index(fields=["mailbox_id", "at_us"], name="spam_lesson_mailbox"),
        ]


class SpamSettings(models.Model):
    """What an account wishes about mail that is put aside; no row: what its domain wishes."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="spam_settings")
    digest = models.BooleanField()
    """A daily report of what lies in quarantine (18.2.4 of the manual); without it such mail goes to Junk."""
