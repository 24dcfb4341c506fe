from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MtaConfig(AppConfig):
    name = "mta"
    verbose_name = _("Mail transfer")

    def ready(self) -> None:
        """A domain gets policy and keys in its own transaction (models exist only now, hence the imports here)."""
        from accounts.steps import DomainStep, register_domain_step
        from mta.services.domains import prepare_domain

        register_domain_step(DomainStep("mta", created=prepare_domain))
