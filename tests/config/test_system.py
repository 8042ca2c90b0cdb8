"""config/system.py: what superusers see of the installation, and nobody else."""

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from config.migrating.history import own_labels
from config.schedule import SCHEDULE
from config.system import app_states, periodic_states
from observability.models import Heartbeat
from tenants.models import Tenant, User

ADDRESS = "/admin-tools/system/"


def test_superusers_see_findings_migrations_and_tasks(
    client: Client, acme: Tenant
) -> None:
    root = User.objects.create_superuser("root", password="x", language="en")
    client.force_login(root, backend="tenants.backends.TenantBackend")

    html = client.get(ADDRESS).content.decode()

    for name in [*own_labels() - {"renderers", "config"}, "write-reviews", "debug"]:
        assert f'<th scope="row">{name}</th>' in html
    assert "DEBUG is off." in html


@pytest.mark.parametrize("staff", [True, False])
def test_others_do_not(client: Client, user: User, *, staff: bool) -> None:
    user.is_staff = staff
    user.save()
    client.force_login(user, backend="tenants.backends.TenantBackend")

    assert client.get(ADDRESS).status_code == (403 if staff else 302)


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_waits() -> None:
    MigrationRecorder.Migration.objects.filter(
        app="observability", name="0005_reviews"
    ).delete()

    found = {state.label: state for state in app_states()}

    assert found["observability"].newest == "0004_log_index"
    assert found["observability"].waiting == ("0005_reviews",)
    assert found["tenants"].waiting == ()
    assert found["tenants"].applied_at is not None


@pytest.mark.django_db
def test_a_periodic_task_tells_when_it_was_last_enqueued() -> None:
    now = timezone.now()
    Heartbeat.objects.create(role=SCHEDULE[0].role, seen_at=now, expires_at=now)

    first, *others = periodic_states()

    assert (first.key, first.last) == (SCHEDULE[0].key, now)
    assert {state.last for state in others} == {None}
