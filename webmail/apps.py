from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebmailConfig(AppConfig):
    name = "webmail"
    verbose_name = _("Webmail")

    def ready(self) -> None:
        """Every process that wakes workers does it through our application and its broker."""
        # Imported now: the application reads the settings.
        from webmail.celery import app

        app.set_default()
