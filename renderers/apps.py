"""Name and wiring of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RenderersConfig(AppConfig):
    name = "renderers"
    verbose_name = _("Renderers")
