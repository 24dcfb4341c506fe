from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MtaConfig(AppConfig):
    name = "mta"
    verbose_name = _("Mail transfer")
