"""Alive, ready, measured: what machines and staff may ask."""

from __future__ import annotations

import socket

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings

from observability import health
from observability import recorder as recorder_module
from observability.services import flush, measure, recorder
from tenants.models import Membership, Tenant, User

TOKEN = "metrics-token-for-tests-0123456789"


@pytest.fixture
def staff(user: User) -> User:
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_healthz_asks_no_database(client: Client) -> None:
    # Without the db fixture, any query fails this test.
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "alive"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_readyz_names_every_check(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {"database": "ok", "cache": "ok", "migrations": "ok"},
    }


@pytest.mark.django_db
def test_readyz_is_503_when_the_cache_is_away(
    client: Client, settings: Settings, closed_port: int
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{closed_port}/0",
            "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1},
        }
    }

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["status"] == "not ready"
    assert response.json()["checks"]["cache"] == "unreachable"
    assert str(closed_port) not in response.content.decode()


@pytest.mark.django_db
def test_a_cache_that_forgets_is_not_ready(settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    }

    assert health.check_cache() == "forgets"


@pytest.mark.django_db
def test_readyz_is_503_while_a_migration_waits(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health._Applied, "known", False)
    monkeypatch.setattr(health, "unapplied_migrations", lambda: ["menus.0002_x"])

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "1 unapplied"


def test_readyz_is_503_when_the_database_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("connection to 10.0.0.1 refused")

    monkeypatch.setattr(health._Applied, "known", False)
    monkeypatch.setattr(connection, "cursor", away)
    monkeypatch.setattr(health, "unapplied_migrations", away)

    response = client.get("/readyz")

    assert response.status_code == 503
    checks = response.json()["checks"]
    assert (checks["database"], checks["migrations"]) == ("unreachable", "unreachable")
    assert "10.0.0.1" not in response.content.decode()


@pytest.mark.django_db
def test_the_real_migrations_are_all_applied() -> None:
    assert health.unapplied_migrations() == []


@pytest.mark.parametrize("name", ["healthz", "readyz", "metrics", "latency"])
def test_nothing_here_takes_a_post(name: str, client: Client) -> None:
    assert client.post(reverse(name)).status_code == 405


@pytest.mark.parametrize(
    ("token", "header"),
    [
        pytest.param("", "", id="no token anywhere"),
        pytest.param("", "Bearer ", id="an empty token opens nothing"),
        pytest.param(TOKEN, "", id="no header"),
        pytest.param(TOKEN, "Bearer wrong", id="wrong token"),
        pytest.param(TOKEN, f"Basic {TOKEN}", id="wrong scheme"),
        pytest.param(TOKEN, "Bearer 틀림", id="not ASCII"),
    ],
)
def test_metrics_are_denied_by_default(
    client: Client, settings: Settings, token: str, header: str
) -> None:
    settings.SIGNALBOX_METRICS_TOKEN = token

    response = client.get("/metrics", HTTP_AUTHORIZATION=header)

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_staff_cannot_read_metrics_and_superusers_can(
    client: Client, staff: User
) -> None:
    client.force_login(staff)
    assert client.get("/metrics").status_code == 401

    staff.is_superuser = True
    staff.save()
    assert client.get("/metrics").status_code == 200


def test_metrics_tell_counts_without_tenants(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGNALBOX_METRICS_TOKEN = TOKEN
    monkeypatch.setattr(recorder_module, "KEY_LIMIT", 2)
    for key, ms in (("stock", 20), ('od"d\n', 7_000), ("third", 1)):
        recorder.record(
            "operation", key, "987654", elapsed_us=ms * 1_000, bad=key == "stock"
        )

    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})

    assert response["Content-Type"].startswith("text/plain")
    text = response.content.decode()
    assert "987654" not in text
    samples = {
        (sample.name, sample.labels.get("key"), sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    bucket = "signalbox_duration_seconds_bucket"
    assert samples[bucket, "stock", "0.01"] == 0
    assert samples[bucket, "stock", "0.025"] == 1
    assert samples[bucket, 'od"d\n', "5.0"] == 0
    assert samples[bucket, 'od"d\n', "+Inf"] == 1
    assert samples["signalbox_duration_seconds_sum", "stock", None] == 0.02
    assert samples["signalbox_errors_total", "stock", None] == 1
    assert samples["signalbox_key_overflow_total", None, None] == 1
    assert samples["signalbox_measurements_dropped", None, None] == 0


def test_the_latency_table_is_for_staff(client: Client, user: User) -> None:
    assert client.get(reverse("latency")).status_code == 302

    client.force_login(user)
    assert client.get(reverse("latency")).status_code == 302


def test_the_latency_table_shows_the_tenants_own_rows(
    client: Client, staff: User, acme: Tenant, globex: Tenant
) -> None:
    for tenant, key in ((acme, "ours"), (globex, "theirs")):
        with measure("operation", key=key, tenant=str(tenant.pk)):
            pass
    flush()
    client.force_login(staff)

    text = client.get(reverse("latency"), {"hours": "24"}).content.decode()

    assert "ours" in text
    assert "theirs" not in text
    assert "Last 24 hours" in text


def test_an_empty_latency_table_says_so(client: Client, staff: User) -> None:
    client.force_login(staff)

    text = client.get(reverse("latency"), {"hours": "nonsense"}).content.decode()

    assert "Nothing was measured in this time." in text
    assert "Last hour" in text


def test_the_latency_table_speaks_korean(client: Client, staff: User) -> None:
    staff.language = "ko"
    staff.save()
    client.force_login(staff)

    assert "서비스 수준" in client.get(reverse("latency")).content.decode()


def test_staff_without_a_tenant_are_told_to_choose_one(
    client: Client, staff: User
) -> None:
    Membership.objects.all().delete()
    client.force_login(staff)

    assert "You are in no tenant" in client.get(reverse("latency")).content.decode()


def test_too_many_keys_are_told_on_the_page(
    client: Client, staff: User, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "KEY_LIMIT", 1)
    for key in ("a", "b"):
        recorder.record("block", key, str(acme.pk), elapsed_us=1, bad=False)
    client.force_login(staff)

    text = client.get(reverse("latency")).content.decode()

    assert "Too many different keys were measured" in text


def test_the_latency_table_takes_as_many_queries_for_many_keys(
    client: Client,
    staff: User,
    acme: Tenant,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(60):
        with measure("block", key=f"b{number}", tenant=str(acme.pk)):
            pass
    flush()
    client.force_login(staff)
    client.get(reverse("latency"))

    with django_assert_max_num_queries(12):
        client.get(reverse("latency"))
