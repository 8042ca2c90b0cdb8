"""What is missing for production: one answer a check, never a secret."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec

from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks as django_checks
from django.db import Error as DatabaseFailure
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from config import background
from config.doctor_queries import query_roles, query_safety
from config.findings import Finding, Level
from observability import health, tracing
from observability.services import last_seen

__all__ = ["CHECKS", "REMOTE_CHECKS", "Finding", "Level", "examine"]

_SECRET_LENGTH = 50
_TOKEN_LENGTH = 20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_ZONES = 400
_OPTIONAL_PARTS = ("uvloop", "hiredis", "re2")
# Tasks are enqueued every minute; a scheduler renews its lease every few seconds.
_WORKER_SILENCE = timedelta(minutes=5)
_SCHEDULER_SILENCE = timedelta(minutes=1)
_MOST_WAITING = 500


def examine(*, remote: bool = False) -> list[Finding]:
    """Run every check, in order.

    Args:
        remote: Also those that connect to the databases of data sources, which takes
            as long as they take.
    """
    return [check() for check in (*CHECKS, *(REMOTE_CHECKS if remote else ()))]


def debug() -> Finding:
    if settings.DEBUG:
        return Finding(
            "debug",
            Level.ERROR,
            _("DEBUG is on: errors show source and settings to everyone."),
            _("Remove SIGNALBOX_DEBUG, or set it to false."),
        )
    return Finding("debug", Level.OK, _("DEBUG is off."))


def mode() -> Finding:
    found = _("SIGNALBOX_MODE is %(mode)s.") % {"mode": settings.SIGNALBOX_MODE}
    if settings.SIGNALBOX_MODE == "production":
        return Finding("mode", Level.OK, found)
    remedy = _("Set SIGNALBOX_MODE=production.")
    return Finding("mode", Level.ERROR, found, remedy)


def secret_key() -> Finding:
    key = settings.SECRET_KEY
    found = _("The secret key has %(count)d characters.") % {"count": len(key)}
    remedy = _("Set SIGNALBOX_SECRET_KEY to 50 random characters or more.")
    if len(key) < _SECRET_LENGTH or len(set(key)) < 10:
        return Finding("secret-key", Level.ERROR, found, remedy)
    if settings.LOCAL:
        found = _("The secret key was made by this machine for itself.")
        return Finding("secret-key", Level.WARNING, found, remedy)
    return Finding("secret-key", Level.OK, found)


def encryption_keys() -> Finding:
    keys = settings.SIGNALBOX_ENCRYPTION_KEYS
    usable = sum(_is_fernet_key(key) for key in keys)
    found = _("%(usable)d of %(count)d encryption keys can be used.") % {
        "usable": usable,
        "count": len(keys),
    }
    remedy = _("Set SIGNALBOX_ENCRYPTION_KEYS to Fernet keys, the newest first.")
    if not keys or usable < len(keys):
        return Finding("encryption-keys", Level.ERROR, found, remedy)
    return Finding("encryption-keys", Level.OK, found)


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def allowed_hosts() -> Finding:
    hosts = set(settings.ALLOWED_HOSTS)
    remedy = _("Set SIGNALBOX_ALLOWED_HOSTS to the portal's own names.")
    if not hosts or "*" in hosts:
        found = _("Every host name is answered.") if hosts else _("No host is allowed.")
        return Finding("allowed-hosts", Level.ERROR, found, remedy)
    if hosts <= _LOOPBACK:
        found = _("Only this machine itself is answered.")
        return Finding("allowed-hosts", Level.WARNING, found, remedy)
    found = _("%(count)d host names are answered.") % {"count": len(hosts)}
    return Finding("allowed-hosts", Level.OK, found)


def https() -> Finding:
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        return Finding(
            "https",
            Level.ERROR,
            _("Cookies are sent without https, too."),
            _("Set SIGNALBOX_MODE=production."),
        )
    if not (settings.SECURE_SSL_REDIRECT and settings.SECURE_HSTS_SECONDS):
        return Finding(
            "https",
            Level.WARNING,
            _("Requests without https are answered, or browsers may fall back to it."),
            _("Set SIGNALBOX_HTTPS_REDIRECT=true and SIGNALBOX_HSTS_SECONDS=3600."),
        )
    return Finding("https", Level.OK, _("Cookies and requests use https only."))


def database() -> Finding:
    if health.check_database() != health.OK:
        return Finding(
            "database",
            Level.ERROR,
            _("The database does not answer."),
            _("Check SIGNALBOX_DATABASE_URL, and that the server runs."),
        )
    found = _("The database is %(vendor)s.") % {"vendor": connection.display_name}
    if connection.vendor == "postgresql":
        return Finding("database", Level.OK, found)
    remedy = _("Set SIGNALBOX_DATABASE_URL to a PostgreSQL database.")
    return Finding("database", Level.WARNING, found, remedy)


def cache() -> Finding:
    remedy = _("Set SIGNALBOX_CACHE_URL to a Redis or Valkey server.")
    if health.check_cache() != health.OK:
        found = _("The cache does not answer.")
        return Finding("cache", Level.ERROR, found, remedy)
    if "locmem" in str(settings.CACHES["default"]["BACKEND"]):
        found = _("Every process has a cache of its own.")
        return Finding("cache", Level.WARNING, found, remedy)
    return Finding("cache", Level.OK, _("The cache is shared."))


def migrations() -> Finding:
    remedy = _("Run: manage.py migrate")
    try:
        waiting = health.unapplied_migrations()
    except DatabaseFailure:
        found = _("The migrations cannot be read.")
        return Finding("migrations", Level.ERROR, found, remedy)
    if waiting:
        found = _("%(count)d migrations are not applied, the first is %(name)s.") % {
            "count": len(waiting),
            "name": waiting[0],
        }
        return Finding("migrations", Level.ERROR, found, remedy)
    return Finding("migrations", Level.OK, _("Every migration is applied."))


def tasks() -> Finding:
    name = background.backend_name()
    if not background.has_workers():
        return Finding(
            "tasks",
            Level.WARNING,
            _("Background work is done where it is asked for, and people wait for it."),
            _("Set SIGNALBOX_TASKS to database or rq."),
        )
    try:
        count = background.waiting()
    except (DatabaseFailure, RedisError):
        found = _("The queue of background work (%(name)s) does not answer.")
        remedy = _("Check SIGNALBOX_TASKS and SIGNALBOX_TASKS_URL.")
        return Finding("tasks", Level.ERROR, found % {"name": name}, remedy)
    found = _("Background work waits in %(name)s: %(count)d tasks.")
    found %= {"name": name, "count": count}
    if count > _MOST_WAITING:
        remedy = _("Start more workers: manage.py worker")
        return Finding("tasks", Level.WARNING, found, remedy)
    return Finding("tasks", Level.OK, found)


def worker() -> Finding:
    if not background.has_workers():
        return Finding("worker", Level.OK, _("No worker is needed."))
    remedy = _("Start a worker: manage.py worker (the scheduler must run, too)")
    return _alive("worker", silence=_WORKER_SILENCE, remedy=remedy)


def scheduler() -> Finding:
    remedy = _("Start a scheduler: manage.py scheduler")
    return _alive("scheduler", silence=_SCHEDULER_SILENCE, remedy=remedy)


def _alive(role: str, *, silence: timedelta, remedy: str) -> Finding:
    try:
        seen = last_seen(role)
    except DatabaseFailure:
        return Finding(role, Level.ERROR, _("Signs of life cannot be read."), remedy)
    if seen is None:
        return Finding(role, Level.ERROR, _("Never seen."), remedy)
    seconds = max(0, int((timezone.now() - seen).total_seconds()))
    found = _("Last seen %(seconds)d s ago.") % {"seconds": seconds}
    if timedelta(seconds=seconds) > silence:
        return Finding(role, Level.ERROR, found, remedy)
    return Finding(role, Level.OK, found)


def measurements() -> Finding:
    seconds = getattr(settings, "SIGNALBOX_FLUSH_SECONDS", 0)
    if seconds <= 0:
        return Finding(
            "measurements",
            Level.ERROR,
            _("Measurements are counted and never written."),
            _("Set SIGNALBOX_FLUSH_SECONDS=10."),
        )
    found = _("Measurements are written every %(seconds)d s.") % {"seconds": seconds}
    return Finding("measurements", Level.OK, found)


def traces() -> Finding:
    if not tracing.endpoint():
        return Finding(
            "traces",
            Level.WARNING,
            _("Spans are sent nowhere."),
            _("Set OTEL_EXPORTER_OTLP_ENDPOINT to an OTLP collector."),
        )
    found = _("Spans of %(percent).0f %% of the requests are sent.") % {
        "percent": 100 * tracing.sampled_share()
    }
    return Finding("traces", Level.OK, found)


def errors() -> Finding:
    if not settings.SENTRY_DSN:
        return Finding(
            "errors",
            Level.WARNING,
            _("Errors are only in the log."),
            _("Set SENTRY_DSN."),
        )
    return Finding("errors", Level.OK, _("Errors are sent to Sentry."))


def metrics_token() -> Finding:
    token = settings.SIGNALBOX_METRICS_TOKEN
    remedy = _("Set SIGNALBOX_METRICS_TOKEN to 20 random characters or more.")
    if not token:
        found = _("Nobody but superusers can read /metrics.")
        return Finding("metrics-token", Level.WARNING, found, remedy)
    found = _("The metrics token has %(count)d characters.") % {"count": len(token)}
    level = Level.OK if len(token) >= _TOKEN_LENGTH else Level.ERROR
    return Finding("metrics-token", level, found, remedy if level != Level.OK else "")


def email() -> Finding:
    name = settings.EMAIL_BACKEND.split(".")[-2]
    remedy = _("Set SIGNALBOX_EMAIL_URL to your mail server, smtp://user@host:587")
    if name == "smtp" and not settings.EMAIL_HOST:
        found = _("No mail server is set: notifications by e-mail cannot be sent.")
        return Finding("e-mail", Level.WARNING, found, remedy)
    level = Level.OK if name == "smtp" else Level.WARNING
    found = _("E-mail goes out by %(name)s.") % {"name": name}
    return Finding("e-mail", level, found, remedy if level != Level.OK else "")


def static_files() -> Finding:
    if not hasattr(staticfiles_storage, "load_manifest"):
        return Finding(
            "static-files",
            Level.WARNING,
            _("Static files are served from the source, without a manifest."),
            _("Set SIGNALBOX_MODE=production, then run: manage.py collectstatic"),
        )
    names, _hash = staticfiles_storage.load_manifest()
    if not names:
        return Finding(
            "static-files",
            Level.ERROR,
            _("Static files were not collected."),
            _("Run: manage.py collectstatic"),
        )
    found = _("%(count)d static files are in the manifest.") % {"count": len(names)}
    return Finding("static-files", Level.OK, found)


def time_zones() -> Finding:
    count = len(zoneinfo.available_timezones())
    found = _("%(count)d time zones are known.") % {"count": count}
    if count < _ZONES or settings.TIME_ZONE not in zoneinfo.available_timezones():
        remedy = _("Install the system's time zone data, or the package tzdata.")
        return Finding("time-zones", Level.ERROR, found, remedy)
    return Finding("time-zones", Level.OK, found)


def parts() -> Finding:
    missing = [name for name in _OPTIONAL_PARTS if find_spec(name) is None]
    if missing:
        found = _("Not installed: %(names)s.") % {"names": ", ".join(missing)}
        remedy = _("Run: pip install -r requirements.txt")
        return Finding("parts", Level.WARNING, found, remedy)
    found = _("Installed: %(names)s.") % {"names": ", ".join(_OPTIONAL_PARTS)}
    return Finding("parts", Level.OK, found)


def system_checks() -> Finding:
    """Django's own checks; those for deployment are asked above, with our words."""
    faults = [
        message
        for message in django_checks.run_checks()
        if message.level >= django_checks.ERROR and not message.is_silenced()
    ]
    if faults:
        found = _("Django finds %(count)d errors, the first is %(id)s.") % {
            "count": len(faults),
            "id": faults[0].id,
        }
        remedy = _("Run: manage.py check")
        return Finding("system-checks", Level.ERROR, found, remedy)
    return Finding("system-checks", Level.OK, _("Django's own checks find no error."))


CHECKS: tuple[Callable[[], Finding], ...] = (
    mode,
    debug,
    secret_key,
    encryption_keys,
    allowed_hosts,
    https,
    database,
    cache,
    migrations,
    tasks,
    worker,
    scheduler,
    measurements,
    traces,
    errors,
    metrics_token,
    email,
    static_files,
    time_zones,
    parts,
    query_safety,
    system_checks,
)
# Each waits for databases outside; a page does not.
REMOTE_CHECKS: tuple[Callable[[], Finding], ...] = (query_roles,)
