"""Name and wiring of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BranchingConfig(AppConfig):
    name = "branching"
    verbose_name = _("Branching")
