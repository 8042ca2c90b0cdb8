"""What is missing for production is found, told with its way out, and fails."""

from __future__ import annotations

import json
import sqlite3
import zoneinfo
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as configured
from django.core import checks
from django.core.checks import Error
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone, translation
from pytest_django import Settings

from config import doctor
from config.doctor import CHECKS, Finding, Level, examine
from connectors.models import DataSource, QuerySafetyCheck
from observability import health
from observability.services import beat, take_lease
from tenants.models import Tenant
from tenants.scope import using_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def run(*arguments: str) -> tuple[str, str]:
    """Return what the command printed, and the words it failed with."""
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out, no_color=True)
    except CommandError as error:
        return out.getvalue(), f"exit {error.returncode}: {error}"
    return out.getvalue(), ""


def found(check: str) -> Finding:
    (finding,) = [finding for finding in examine() if finding.id == check]
    return finding


def test_a_local_portal_is_not_ready_for_production() -> None:
    out, failure = run()

    assert failure.startswith("exit 1: ")
    assert "stand before production" in failure
    assert "SIGNALBOX_MODE is local." in out
    assert "→ Set SIGNALBOX_MODE=production." in out


def test_json_tells_every_check_once() -> None:
    out, failure = run("--json")

    told = json.loads(out)
    assert failure
    assert told["ready"] is False
    count = len(CHECKS) + len(doctor.REMOTE_CHECKS)
    assert len(told["findings"]) == count
    assert len({finding["id"] for finding in told["findings"]}) == count
    for finding in told["findings"]:
        assert set(finding) == {"id", "level", "found", "remedy"}
        assert bool(finding["remedy"]) == (finding["level"] != "ok")


def test_warnings_alone_do_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    warning = Finding("x", Level.WARNING, "Odd.", "Mend it.")
    monkeypatch.setattr(doctor, "CHECKS", (lambda: warning,))

    out, failure = run("--json")

    assert failure == ""
    assert json.loads(out)["ready"] is True


def test_no_secret_is_printed(settings: Settings) -> None:
    settings.SECRET_KEY = "hunter2-planted-secret-key"
    settings.SIGNALBOX_ENCRYPTION_KEYS = ["hunter2-planted-fernet"]
    settings.SIGNALBOX_METRICS_TOKEN = "hunter2-planted"
    settings.SENTRY_DSN = "https://hunter2-planted@sentry.example/1"

    for arguments in ((), ("--json",)):
        assert "hunter2" not in "".join(run(*arguments))


def test_a_production_configuration_has_no_errors_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGNALBOX_MODE = "production"
    settings.LOCAL = False
    settings.DEBUG = False
    settings.SECRET_KEY = "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABC"
    settings.SIGNALBOX_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.ALLOWED_HOSTS = ["portal.example"]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 3_600
    settings.SIGNALBOX_FLUSH_SECONDS = 10
    settings.SIGNALBOX_METRICS_TOKEN = "t" * 32
    settings.SENTRY_DSN = "https://key@sentry.example/1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "mail.example"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    take_lease("scheduler", holder="host:1", seconds=30)
    beat("worker", holder="host:2")

    findings = examine()

    # Static files are collected by a deployment, and engines differ by lane.
    open_ones = {finding.id for finding in findings if finding.level != Level.OK}
    assert open_ones <= {"static-files", "database", "cache"}
    assert all(finding.level != Level.ERROR for finding in findings)


@pytest.mark.parametrize(
    ("check", "name", "value", "level"),
    [
        ("debug", "DEBUG", True, Level.ERROR),
        ("secret-key", "SECRET_KEY", "short", Level.ERROR),
        ("secret-key", "SECRET_KEY", "a" * 80, Level.ERROR),
        ("secret-key", "LOCAL", True, Level.WARNING),
        ("encryption-keys", "SIGNALBOX_ENCRYPTION_KEYS", [], Level.ERROR),
        ("encryption-keys", "SIGNALBOX_ENCRYPTION_KEYS", ["nokey"], Level.ERROR),
        ("allowed-hosts", "ALLOWED_HOSTS", ["*"], Level.ERROR),
        ("allowed-hosts", "ALLOWED_HOSTS", [], Level.ERROR),
        ("allowed-hosts", "ALLOWED_HOSTS", ["localhost"], Level.WARNING),
        ("measurements", "SIGNALBOX_FLUSH_SECONDS", 0, Level.ERROR),
        ("measurements", "SIGNALBOX_FLUSH_SECONDS", 10, Level.OK),
        ("metrics-token", "SIGNALBOX_METRICS_TOKEN", "", Level.WARNING),
        ("metrics-token", "SIGNALBOX_METRICS_TOKEN", "short", Level.ERROR),
        ("errors", "SENTRY_DSN", "", Level.WARNING),
        ("time-zones", "TIME_ZONE", "Asia/Atlantis", Level.ERROR),
    ],
)
def test_each_setting_has_its_level(
    settings: Settings, check: str, name: str, value: object, level: Level
) -> None:
    if name == "TIME_ZONE":
        # Django itself would refuse the name while it is being set.
        before = configured.TIME_ZONE
        configured.TIME_ZONE = value
        finding = found(check)
        configured.TIME_ZONE = before
    else:
        setattr(settings, name, value)
        finding = found(check)

    assert finding.level is level
    assert bool(finding.remedy) == (level is not Level.OK)


def test_cookies_without_https_are_an_error_and_no_redirect_a_warning(
    settings: Settings,
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    assert found("https").level is Level.ERROR

    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_SSL_REDIRECT = False
    assert found("https").level is Level.WARNING


def test_a_cache_of_each_process_is_a_warning(settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }

    assert found("cache").level is Level.WARNING


def test_servers_that_are_away_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(role: str = "") -> None:
        raise OperationalError("connection to 10.0.0.1 refused")

    monkeypatch.setattr(health, "check_database", lambda: "unreachable")
    monkeypatch.setattr(health, "check_cache", lambda: "unreachable")
    monkeypatch.setattr(health, "unapplied_migrations", away)
    monkeypatch.setattr(doctor, "last_seen", away)

    findings = {finding.id: finding for finding in examine()}

    for check in ("database", "cache", "migrations", "worker", "scheduler"):
        assert findings[check].level is Level.ERROR
        assert "10.0.0.1" not in findings[check].found


def test_a_waiting_migration_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "unapplied_migrations", lambda: ["menus.0002_x"])

    finding = found("migrations")

    assert finding.level is Level.ERROR
    assert "menus.0002_x" in finding.found


@pytest.mark.parametrize("role", ["worker", "scheduler"])
def test_a_silent_process_is_an_error(role: str) -> None:
    assert found(role).level is Level.ERROR

    beat(role)
    assert found(role).level is Level.OK

    beat(role, now=timezone.now() - timedelta(minutes=10))
    assert found(role).level is Level.ERROR


@pytest.mark.parametrize(
    ("backend", "host", "level"),
    [
        ("smtp", "", Level.WARNING),
        ("smtp", "mail.example", Level.OK),
        ("console", "localhost", Level.WARNING),
    ],
)
def test_email_needs_a_server(
    settings: Settings, backend: str, host: str, level: Level
) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    settings.EMAIL_HOST = host

    assert found("e-mail").level is level


class Collected:
    """Storage with a manifest."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def load_manifest(self) -> tuple[dict[str, str], str]:
        return self.names, "hash"


@pytest.mark.parametrize(
    ("names", "level"), [({}, Level.ERROR), ({"a.css": "a.1.css"}, Level.OK)]
)
def test_static_files_must_be_collected(
    names: dict[str, str], level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "staticfiles_storage", Collected(names))

    assert found("static-files").level is level


def test_missing_parts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_OPTIONAL_PARTS", ("uvloop", "no_such_package"))

    assert found("parts").level is Level.WARNING
    assert found("parts").found == "Not installed: no_such_package."


def test_errors_of_djangos_checks_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [Error("broken", id="menus.E001")]
    monkeypatch.setattr(checks, "run_checks", lambda: faults)

    assert found("system-checks").level is Level.ERROR
    assert "menus.E001" in found("system-checks").found


def test_the_zone_of_the_portal_is_known() -> None:
    assert configured.TIME_ZONE in zoneinfo.available_timezones()
    assert found("time-zones").level is Level.OK


@pytest.fixture
def weather_file(in_acme: Tenant, tmp_path: Path) -> DataSource:
    with using_tenant(in_acme), sqlite3.connect(tmp_path / "weather") as file:
        file.execute("CREATE TABLE weather (temp REAL)")
        return DataSource.objects.create(
            key="weather", kind="sql", address=f"sqlite:///{tmp_path}/weather"
        )


def test_a_data_source_nobody_verified_is_told(weather_file: DataSource) -> None:
    before = found("query-safety")
    call_command("verify_query_safety", "--data-source", "weather", stdout=StringIO())
    after = found("query-safety")
    QuerySafetyCheck.all_tenants.update(
        checked_at=timezone.now() - timedelta(days=32), signature="x"
    )

    assert before.level == Level.WARNING
    assert "acme/weather" in before.found
    assert "verify_query_safety" in before.remedy
    assert after.level == Level.OK
    assert found("query-safety").level == Level.WARNING


def test_the_doctor_connects_to_data_sources_only_when_asked(
    weather_file: DataSource,
) -> None:
    assert not [each for each in examine() if each.id == "query-roles"]

    [asked] = [each for each in examine(remote=True) if each.id == "query-roles"]
    weather_file.address += ".gone"
    weather_file.save()
    [gone] = [each for each in examine(remote=True) if each.id == "query-roles"]

    assert asked.level == Level.OK
    assert gone.level == Level.WARNING
    assert "check_query_roles" in gone.remedy
