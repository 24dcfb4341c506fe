from django.apps import AppConfig
from django.core.checks import Tags, register

from core.checks import check_installation


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Globalmail core"

    def ready(self) -> None:
        """Let `manage.py check` look at the installation."""
        register(check_installation, Tags.security)
