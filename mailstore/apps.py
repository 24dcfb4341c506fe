from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailstoreConfig(AppConfig):
    name = "mailstore"
    verbose_name = _("Mail store")

    def ready(self) -> None:
        """An account gets its mailbox in its own transaction (models exist only now, hence the imports here)."""
        from accounts.steps import AccountStep, register_account_step
        from mailstore.services.mailboxes import create_for, forget_files_of

        register_account_step(AccountStep("mailstore", created=create_for, erased=forget_files_of))
