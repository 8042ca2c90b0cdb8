"""tenants/tenant_admin.py: own rows only, audited, no way around."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError
from django.test import Client, RequestFactory

from tenants.admin import SuperusersOnly, TenantModelAdmin
from tenants.models import ApiToken, AuditEntry, Membership, Team, Tenant, User
from tenants.scope import using_tenant
from tenants.tenant_admin import rows_in_scope
from tests.tenants.conftest import SignedIn

TEAMS = "/admin/tenants/team/"
TOKENS = "/admin/tenants/apitoken/"
USERS = "/admin/tenants/user/"
AUDIT = "/admin/tenants/auditentry/"


@pytest.fixture
def teams(acme: Tenant, globex: Tenant) -> tuple[Team, Team]:
    return (
        Team.objects.create(tenant=acme, label="Operators of acme"),
        Team.objects.create(tenant=globex, label="Operators of globex"),
    )


def enter(client: Client, tenant: Tenant) -> Client:
    client.post("/switch-tenant/", {"key": tenant.key, "next": "/login/"})
    return client


def entry_of(action: str) -> AuditEntry:
    return AuditEntry.all_tenants.get(action=action)


# Pages with a rule of their own, each with its reason.
OWN_RULE = {
    "observability.Measurement": "some have no tenant; staff see those of their own",
    "observability.LogLine": "some have no tenant; leads to a page that asks whose",
    "observability.StoredTrace": "some have no tenant; leads to a page that asks whose",
    "observability.Heartbeat": "has no tenant; only superusers have the permission",
}


@pytest.mark.parametrize("model_admin", admin.site._registry.values(), ids=str)
def test_every_page_is_of_one_tenant_or_for_superusers(
    model_admin: admin.ModelAdmin[Any],
) -> None:
    scoped = isinstance(model_admin, (TenantModelAdmin, SuperusersOnly))

    assert scoped or model_admin.model._meta.label in OWN_RULE


def test_groups_without_a_tenant_have_no_page() -> None:
    assert not admin.site.is_registered(Group)


def test_staff_see_the_rows_of_their_tenant_only(
    staff: User, teams: tuple[Team, Team], signed_in: SignedIn
) -> None:
    page = signed_in(staff).get(TEAMS).content.decode()

    assert "Operators of acme" in page
    assert "Operators of globex" not in page
    assert "Tenant: Acme" not in page


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_a_row_of_another_tenant_is_not_there(
    superuser: User,
    acme: Tenant,
    teams: tuple[Team, Team],
    signed_in: SignedIn,
    page: str,
) -> None:
    client = enter(signed_in(superuser), acme)

    own = client.get(f"{TEAMS}{teams[0].pk}/{page}/")
    other = client.get(f"{TEAMS}{teams[1].pk}/{page}/")

    assert (own.status_code, other.status_code) == (200, 302)


def test_a_superuser_is_told_which_tenant_the_list_shows(
    superuser: User, acme: Tenant, globex: Tenant, signed_in: SignedIn
) -> None:
    client = enter(signed_in(superuser), globex)

    assert "Tenant: Globex" in client.get(TEAMS).content.decode()


@pytest.mark.parametrize("path", ["", "add/", "1/change/", "1/delete/", "1/history/"])
def test_without_a_tenant_a_page_says_so(
    superuser: User, acme: Tenant, signed_in: SignedIn, path: str
) -> None:
    response = signed_in(superuser).get(TEAMS + path)

    assert response.status_code == 403
    assert "Choose the tenant you want to work in" in response.content.decode()


def test_a_new_row_takes_the_active_tenant_and_is_audited(
    staff: User, user: User, acme: Tenant, signed_in: SignedIn
) -> None:
    response = signed_in(staff).post(
        f"{TEAMS}add/", {"label": "Operators", "members": [user.pk]}
    )

    assert response.status_code == 302
    team = Team.objects.get()
    assert (team.tenant, list(team.users)) == (acme, [user])
    entry = entry_of("team.added")
    assert (entry.tenant, entry.user) == (acme, staff)
    assert entry.changes == {
        "label": [None, "Operators"],
        "members": [None, [user.pk]],
    }


def test_a_change_is_audited_with_old_and_new(
    staff: User, teams: tuple[Team, Team], signed_in: SignedIn
) -> None:
    client = signed_in(staff)
    page = f"{TEAMS}{teams[0].pk}/change/"

    client.post(page, {"label": "Night shift"})
    client.post(page, {"label": "Night shift"})

    assert entry_of("team.changed").changes == {
        "label": ["Operators of acme", "Night shift"]
    }


def test_deleting_one_and_deleting_many_are_audited(
    staff: User, acme: Tenant, teams: tuple[Team, Team], signed_in: SignedIn
) -> None:
    other = Team.objects.create(tenant=acme, label="Night shift")
    client = signed_in(staff)

    client.post(f"{TEAMS}{teams[0].pk}/delete/", {"post": "yes"})
    client.post(
        TEAMS,
        {
            "action": "delete_selected",
            "_selected_action": [other.pk, teams[1].pk],
            "post": "yes",
        },
    )

    labels = AuditEntry.all_tenants.filter(action="team.deleted")
    assert sorted(labels.values_list("label", flat=True)) == [
        "Night shift",
        "Operators of acme",
    ]
    assert list(Team.objects.all()) == [teams[1]]


def test_a_duplicate_key_is_an_error_of_the_form(
    staff: User, teams: tuple[Team, Team], signed_in: SignedIn
) -> None:
    response = signed_in(staff).post(f"{TEAMS}add/", {"label": "Operators of acme"})

    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert Team.objects.count() == 2


def test_a_duplicate_that_slips_past_the_form_is_a_message(
    staff: User, signed_in: SignedIn
) -> None:
    client = signed_in(staff)

    # The race itself: the row appears between the check and the insert.
    with mock.patch.object(Team, "save", side_effect=IntegrityError):
        response = client.post(f"{TEAMS}add/", {"label": "Operators"}, follow=True)

    assert response.status_code == 200
    assert "Somebody else has just saved" in response.content.decode()


def test_people_of_other_tenants_are_neither_offered_nor_taken(
    staff: User, outsider: User, signed_in: SignedIn
) -> None:
    client = signed_in(staff)

    offered = client.get(f"{TEAMS}add/").context["adminform"].form.fields["members"]
    response = client.post(
        f"{TEAMS}add/", {"label": "Operators", "members": [outsider.pk]}
    )

    assert outsider not in offered.queryset
    assert "members" in response.context["adminform"].form.errors


def test_only_superusers_give_permissions_to_a_team(
    staff: User,
    superuser: User,
    acme: Tenant,
    teams: tuple[Team, Team],
    signed_in: SignedIn,
) -> None:
    permission = Permission.objects.get(codename="delete_user")
    page = f"{TEAMS}{teams[0].pk}/change/"
    posted = {"label": "Operators", "permissions": [permission.pk]}

    signed_in(staff).post(page, posted)
    by_staff = teams[0].permissions.count()
    enter(signed_in(superuser), acme).post(page, posted)

    assert (by_staff, teams[0].permissions.count()) == (0, 1)


def test_staff_cannot_join_a_team_that_may_more_than_they(
    staff: User, teams: tuple[Team, Team], signed_in: SignedIn
) -> None:
    teams[0].permissions.add(Permission.objects.get(codename="delete_user"))

    response = signed_in(staff).post(
        f"{TEAMS}{teams[0].pk}/change/", {"label": "x", "members": [staff.pk]}
    )

    assert response.status_code == 403
    assert not teams[0].users.exists()


def test_choices_are_rows_of_the_tenant(
    user: User, outsider: User, acme: Tenant, teams: tuple[Team, Team]
) -> None:
    with using_tenant(acme):
        offered = {
            model: list(rows_in_scope(model) or [])
            for model in (User, Team, Tenant, Membership, Group, ApiToken)
        }
        free = rows_in_scope(Permission)

    assert offered[User] == [user]
    assert offered[Team] == [teams[0]]
    assert offered[Tenant] == [acme]
    assert [row.tenant for row in offered[Membership]] == [acme]
    assert [row.pk for row in offered[Group]] == [teams[0].pk]
    assert offered[ApiToken] == []
    assert free is None


def test_secret_fields_and_odd_values_are_audited_safely(
    rf: RequestFactory, user: User
) -> None:
    class Form(forms.Form):
        secret = forms.CharField()
        until = forms.DateTimeField()
        wait = forms.DurationField()
        who = forms.ModelChoiceField(User.objects.all())
        options = forms.JSONField()

    class Page(TenantModelAdmin):
        audit_secret_fields = ["secret"]

    form = Form(
        {
            "secret": "s3cret",
            "until": "2026-01-02T03:04:05Z",
            "wait": "00:00:02",
            "who": str(user.pk),
            "options": '{"a": [1, null]}',
        }
    )
    assert form.is_valid()

    changes = Page(Team, admin.site).audit_changes(form)

    assert changes == {
        "secret": "changed",
        "until": [None, "2026-01-02T03:04:05+00:00"],
        "wait": [None, 2.0],
        "who": [None, user.pk],
        "options": [None, {"a": [1, None]}],
    }
