"""Name and wiring of the app."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class ScreensConfig(AppConfig):
    name = "screens"
    verbose_name = _("Screens")

    def ready(self) -> None:
        from screens.panels import check_panels

        register(check_panels)
