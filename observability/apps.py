"""Name and wiring of the app."""

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class ObservabilityConfig(AppConfig):
    name = "observability"
    verbose_name = _("Observability")

    def ready(self) -> None:
        from django_tasks.signals import task_finished

        from observability import sentry, tasks, tracing

        task_finished.connect(tasks.record_task, dispatch_uid="observability.task")
        tracing.sampled_share()  # a wrong share stops the start, not a request
        if settings.SENTRY_DSN:
            sentry.start(settings.SENTRY_DSN, environment=settings.SIGNALBOX_MODE)
