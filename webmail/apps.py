from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebmailConfig(AppConfig):
    name = "webmail"
    verbose_name = _("Webmail")

    def ready(self) -> None:
        """Every process that wakes workers does it through our application and its broker; an account's archive holds
        how its pages look."""
        # Imported now: the application reads the settings, and models exist.
        from mailstore.archive.tables import register_account_table
        from webmail.celery import app
        from webmail.models import Display, ImageSender

        app.set_default()
        for model in (Display, ImageSender):
            register_account_table(model, owner="account_id")
