"""Measurements are for reading: all for superusers, their own for tenant staff."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from observability.models import Heartbeat, Measurement
from observability.services import beat, flush, measure
from tenants.models import Membership, Tenant, User

LIST = "admin:observability_measurement_changelist"


@pytest.fixture
def rows(acme: Tenant, globex: Tenant) -> None:
    for tenant, key in ((acme, "ours"), (globex, "theirs")):
        with measure("operation", key=key, tenant=str(tenant.pk)):
            pass
    flush()


@pytest.fixture
def staff(user: User) -> User:
    user.is_staff = True
    user.save()
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="observability")
    )
    return user


@pytest.fixture
def root(staff: User) -> User:
    staff.is_superuser = True
    staff.save()
    return staff


def test_staff_see_their_own_rows(client: Client, staff: User, rows: None) -> None:
    client.force_login(staff)

    text = client.get(reverse(LIST)).content.decode()

    assert "ours" in text
    assert "theirs" not in text


def test_superusers_see_every_row(client: Client, root: User, rows: None) -> None:
    client.force_login(root)

    text = client.get(reverse(LIST)).content.decode()

    assert "ours" in text
    assert "theirs" in text


def test_nobody_adds_changes_or_deletes(client: Client, root: User, rows: None) -> None:
    client.force_login(root)
    row = Measurement.objects.get(key="ours")
    name = "admin:observability_measurement"

    assert client.get(reverse(f"{name}_add")).status_code == 403
    assert client.post(reverse(f"{name}_delete", args=[row.pk])).status_code == 403
    shown = client.get(reverse(f"{name}_change", args=[row.pk])).content.decode()

    assert str(row) in shown
    assert 'name="_save"' not in shown


def test_heartbeats_are_for_superusers(client: Client, staff: User) -> None:
    beat("worker", holder="host:1")
    address = reverse("admin:observability_heartbeat_changelist")
    client.force_login(staff)
    assert client.get(address).status_code == 403

    staff.is_superuser = True
    staff.save()
    assert "host:1" in client.get(address).content.decode()


def test_the_history_of_a_heartbeat_tells_staff_nothing(acme: Tenant) -> None:
    """Whether there is one would show in another answer than for none."""
    staff = User.objects.create_user("staff", password="x", is_staff=True)
    Membership.objects.create(user=staff, tenant=acme)
    now = timezone.now()
    Heartbeat.objects.create(role="here", holder="x", seen_at=now, expires_at=now)
    browser = Client()
    browser.force_login(staff, backend="tenants.backends.TenantBackend")

    answers = [
        browser.get(f"/admin/observability/heartbeat/{role}/history/")
        for role in ("here", "gone")
    ]

    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]
