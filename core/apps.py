from django.apps import AppConfig
from django.core.checks import Tags, register

from core.checks import check_installation
from core.planner import tell_planners


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Globalmail core"

    def ready(self) -> None:
        """Let `manage.py check` look at the installation, and PostgreSQL know what it runs on."""
        register(check_installation, Tags.security)
        tell_planners()
