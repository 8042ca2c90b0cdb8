"""Staff mark personal data, give the permission to reveal it, and read who did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Operation, PersonalReveal, RegisteredTable
from connectors.outcomes import Personal
from connectors.rules import read_columns
from tenants.models import AuditEntry, Membership, Team, Tenant, User
from tenants.permissions import can
from tenants.scope import Actor
from tests.connectors.test_admin import operation_form

Make = Callable[..., Operation]


@pytest.fixture
def staff(client: Client, acme: Tenant) -> Client:
    person = User.objects.create_superuser("root", password="x", language="en")
    Membership.objects.create(user=person, tenant=acme)
    client.force_login(person, backend="tenants.backends.TenantBackend")
    return client


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (True, Personal.OTHER),
        (False, Personal.NONE),
        ("email", Personal.EMAIL),
        ("id", Personal.ID),
    ],
)
def test_a_declared_column_says_what_it_holds(told: object, kind: Personal) -> None:
    [column] = read_columns([{"name": "a", "personal": told}])

    assert column.personal is kind


@pytest.mark.parametrize("told", ["", "mail", 1, None, ["name"], {"name": 1}])
def test_a_kind_that_is_none_is_refused(told: object) -> None:
    with pytest.raises(ValidationError, match="email, phone"):
        read_columns([{"name": "a", "personal": told}])


@pytest.mark.parametrize("names", ["email", [1], [""], [" email"], {"email": 1}])
def test_names_that_are_none_are_refused(stored: Make, names: object) -> None:
    source = stored().source
    source.personal_fields = names
    table = RegisteredTable(
        source=source, name="t", shared=True, personal_columns=names
    )

    with pytest.raises(ValidationError, match="email"):
        source.full_clean()
    with pytest.raises(ValidationError, match="email"):
        table.full_clean()


def test_the_test_page_masks_and_says_so(staff: Client, stored: Make) -> None:
    operation = stored(columns=[{"name": "site", "personal": True}, {"name": "temp"}])
    page = reverse("admin:connectors_operation_test", args=[operation.pk])

    shown = staff.post(page).content.decode()

    assert "personal data, masked" in shown
    assert "•••" in shown
    assert "21.5" in shown
    assert "seoul" not in shown


def test_teams_get_the_permission_on_the_page_of_the_operation(
    staff: Client, stored: Make, acme: Tenant, user: User, actor: Actor
) -> None:
    operation = stored()
    team = Team.objects.create(tenant=acme, label="Care")
    user.groups.add(team)
    page = reverse("admin:connectors_operation_change", args=[operation.pk])
    form = operation_form(operation.source, key=operation.key, rows_path="data.items")
    form |= {"parameters-TOTAL_FORMS": 0, "parameters-INITIAL_FORMS": 0}

    given = staff.post(page, form | {"reveal_teams": [team.pk]})
    held = can(actor, "reveal_personal", operation)
    taken = staff.post(page, form)

    assert (given.status_code, taken.status_code) == (302, 302)
    assert held
    assert not can(actor, "reveal_personal", operation)
    assert not can(actor, "use_operation", operation)
    assert AuditEntry.objects.filter(action="permission.revoked").exists()


def test_who_may_change_an_operation_may_not_give_that_permission_by_it(
    client: Client, stored: Make, acme: Tenant, user: User, actor: Actor
) -> None:
    operation = stored()
    team = Team.objects.create(tenant=acme, label="Care")
    names = ["change_operation", "view_operation", "view_datasource", "add_parameter"]
    team.permissions.set(Permission.objects.filter(codename__in=names))
    user.groups.add(team)
    user.is_staff = True
    user.save()
    client.force_login(user, backend="tenants.backends.TenantBackend")
    page = reverse("admin:connectors_operation_change", args=[operation.pk])
    form = operation_form(operation.source, key=operation.key, rows_path="data.items")
    form |= {"parameters-TOTAL_FORMS": 0, "parameters-INITIAL_FORMS": 0}

    shown = client.get(page)
    client.post(page, form | {"reveal_teams": [team.pk]})

    assert shown.status_code == 200
    assert "reveal_teams" not in shown.content.decode()
    assert not can(actor, "reveal_personal", operation)


def test_reveals_are_listed_and_cannot_be_changed(
    staff: Client, stored: Make, user: User
) -> None:
    operation = stored()
    now = timezone.now()
    row = PersonalReveal.objects.create(
        user=user,
        operation=operation,
        operation_key=operation.key,
        place="people",
        purpose="page",
        reason="Ticket 4711",
        since=now,
        until=now + timedelta(minutes=15),
        uses=3,
    )
    page = reverse("admin:connectors_personalreveal_changelist")
    change = reverse("admin:connectors_personalreveal_change", args=[row.pk])

    shown = staff.get(page, {"purpose__exact": "page"}).content.decode()
    found = staff.get(page, {"q": "4711"}).content.decode()
    staff.post(change, {"reason": "other"})
    operation.delete()
    row.refresh_from_db()

    assert "Ticket 4711" in shown
    assert "Ticket 4711" in found
    assert row.reason == "Ticket 4711"
    assert (row.operation, row.operation_key) == (None, "items")
