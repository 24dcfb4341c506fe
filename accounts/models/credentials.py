"""What an account proves itself with: its password and, later, a code for each mail program."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.accounts import Account


class Credential(models.Model):
    """Argon2 hash and SCRAM-SHA-256 verifier (RFC 5802, RFC 7677) of one secret.

    All SCRAM verifiers of an account share salt and rounds, because the client asks before it says which.
    """

    class Kind(models.TextChoices):
        PASSWORD = "password", _("Password")
        CLIENT_CODE = "client_code", _("Client code")

    account = models.ForeignKey(Account, models.CASCADE, related_name="credentials", verbose_name=_("account"))
    kind = models.CharField(max_length=12, choices=Kind.choices)
    label = models.CharField(_("label"), max_length=80, blank=True)
    argon2 = models.CharField(max_length=200)
    scram_salt = models.BinaryField(max_length=32)
    scram_rounds = models.PositiveIntegerField()
    scram_stored_key = models.BinaryField(max_length=32)
    scram_server_key = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("client code")
        verbose_name_plural = _("client codes")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(kind="password"), name="credential_one_password"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account_id}"
