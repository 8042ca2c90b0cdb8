"""tenants/admin.py: users, tenants, tokens and the audit trail."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants.audit import record
from tenants.models import ApiToken, AuditEntry, Team, Tenant, User
from tenants.scope import Actor
from tenants.tokens import check_token, digest, issue_token
from tests.tenants.conftest import SignedIn

TEAMS = "/admin/tenants/team/"
TOKENS = "/admin/tenants/apitoken/"
USERS = "/admin/tenants/user/"
AUDIT = "/admin/tenants/auditentry/"


def enter(client: Client, tenant: Tenant) -> Client:
    client.post("/switch-tenant/", {"key": tenant.key, "next": "/login/"})
    return client


def entry_of(action: str) -> AuditEntry:
    return AuditEntry.all_tenants.get(action=action)


@pytest.mark.parametrize(
    "path",
    [
        "tenants/user/",
        "tenants/tenant/",
        "axes/accesslog/",
        "django_tasks_database/dbtaskresult/",
    ],
)
def test_pages_of_all_tenants_are_for_superusers(
    staff: User, superuser: User, signed_in: SignedIn, path: str
) -> None:
    staff.user_permissions.set(Permission.objects.all())

    refused = signed_in(staff).get(f"/admin/{path}").status_code
    allowed = signed_in(superuser).get(f"/admin/{path}").status_code

    assert (refused, allowed) == (403, 200)


def test_a_password_is_never_audited(
    superuser: User, acme: Tenant, signed_in: SignedIn
) -> None:
    client = signed_in(superuser)
    inline = {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-tenant": str(acme.pk),
    }

    made = client.post(
        f"{USERS}add/",
        {
            "username": "park",
            "usable_password": "true",
            "password1": "one long secret",
            "password2": "one long secret",
            **inline,
        },
    )
    person = User.objects.get(username="park")
    changed = client.post(
        f"{USERS}{person.pk}/password/",
        {"password1": "two long secret", "password2": "two long secret"},
    )

    assert (made.status_code, changed.status_code) == (302, 302)
    added = entry_of("user.added")
    assert (added.user, added.tenant) == (superuser, None)
    assert added.changes["password1"] == "changed"
    assert entry_of("user.changed").changes == {"password": "changed"}
    assert "long secret" not in str(list(AuditEntry.all_tenants.values()))


def test_a_tenant_keeps_its_key_and_cannot_be_deleted(
    superuser: User, acme: Tenant, signed_in: SignedIn
) -> None:
    client = signed_in(superuser)
    page = f"/admin/tenants/tenant/{acme.pk}/"
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

    client.post(
        f"{page}change/",
        {"key": "x", "name": "New", "suspension_reason": "unpaid", **inline},
    )
    refused = client.post(f"{page}delete/", {"post": "yes"})

    acme.refresh_from_db()
    assert (acme.key, acme.name, acme.is_active) == ("acme", "New", False)
    assert refused.status_code == 403
    assert entry_of("tenant.changed").tenant == acme


def token_form(user: User, **changes: object) -> dict[str, object]:
    until = timezone.localtime() + timedelta(days=3)
    form = {
        "user": user.pk,
        "name": "nightly",
        "scopes": ["read", "run"],
        "expires_at_0": until.date().isoformat(),
        "expires_at_1": "12:00:00",
    }
    return {**form, **changes}


def test_a_token_is_shown_once(staff: User, signed_in: SignedIn) -> None:
    client = signed_in(staff)

    response = client.post(f"{TOKENS}add/", token_form(staff))

    found = re.search(r'value="(sbx_[^"]+)"', response.content.decode())
    assert found is not None
    assert "no-store" in response["Cache-Control"]
    token = check_token(found[1])
    assert isinstance(token, ApiToken)
    assert token.scopes == ["read", "run"]
    later = [
        client.get(path).content.decode()
        for path in (TOKENS, f"{TOKENS}{token.pk}/change/", "/admin/")
    ]
    stored = str(list(AuditEntry.all_tenants.values())) + str(client.session.items())
    assert found[1] not in "".join(later) + stored
    assert token.prefix in later[0]
    assert digest(found[1]) not in "".join(later) + stored


def test_staff_make_tokens_for_themselves_only(
    staff: User, user: User, signed_in: SignedIn
) -> None:
    response = signed_in(staff).post(f"{TOKENS}add/", token_form(user))

    assert "user" in response.context["adminform"].form.errors
    assert not ApiToken.all_tenants.exists()


def test_a_token_that_lives_too_long_is_refused(
    staff: User, signed_in: SignedIn
) -> None:
    form = token_form(staff, expires_at_0="2099-01-01")

    response = signed_in(staff).post(f"{TOKENS}add/", form)

    assert "366" in str(response.context["adminform"].form.errors)


def test_staff_see_and_revoke_their_own_tokens_only(
    staff: User, user: User, acme: Tenant, signed_in: SignedIn
) -> None:
    until = timezone.now() + timedelta(days=1)
    secrets = {
        person: issue_token(
            person, tenant=acme, name="t", scopes=["read"], expires_at=until
        )[1]
        for person in (staff, user)
    }
    everything = list(ApiToken.all_tenants.values_list("pk", flat=True))

    signed_in(staff).post(TOKENS, {"action": "revoke", "_selected_action": everything})

    assert not isinstance(check_token(secrets[staff]), ApiToken)
    assert isinstance(check_token(secrets[user]), ApiToken)
    assert entry_of("apitoken.revoked").user == staff


def test_the_audit_trail_is_read_only(
    superuser: User, acme: Tenant, signed_in: SignedIn
) -> None:
    entry = record(actor=Actor(superuser.pk, acme.pk), action="a.b", target=acme)
    client = enter(signed_in(superuser), acme)
    page = f"{AUDIT}{entry.pk}"

    statuses = [
        client.get(f"{page}/change/").status_code,
        client.post(f"{page}/change/", {"action": "x"}).status_code,
        client.post(f"{page}/delete/", {"post": "yes"}).status_code,
        client.post(f"{AUDIT}add/", {"action": "x"}).status_code,
    ]

    assert statuses == [200, 403, 403, 403]
    assert AuditEntry.all_tenants.get().action == "a.b"


def test_the_audit_trail_is_of_one_tenant_and_the_portals_for_superusers(
    staff: User, superuser: User, acme: Tenant, globex: Tenant, signed_in: SignedIn
) -> None:
    for target, label in ((acme, "of acme"), (globex, "of globex"), (None, "of all")):
        record(actor=None, action="a.b", target=target, label=label)

    by_staff = signed_in(staff).get(AUDIT).content.decode()
    by_root = enter(signed_in(superuser), acme).get(AUDIT).content.decode()

    labels = ("of acme", "of globex", "of all")
    assert [label in by_staff for label in labels] == [True, False, False]
    assert [label in by_root for label in labels] == [True, False, True]


def test_an_entry_of_somebody_gone_is_shown(
    staff: User, user: User, acme: Tenant, signed_in: SignedIn
) -> None:
    entry = record(actor=Actor(user.pk, acme.pk), action="a.b", target=acme)
    user.delete()
    client = signed_in(staff)

    assert client.get(AUDIT).status_code == 200
    assert client.get(f"{AUDIT}{entry.pk}/change/").status_code == 200


def test_the_index_shows_nobody_elses_actions(
    staff: User, superuser: User, acme: Tenant, signed_in: SignedIn
) -> None:
    enter(signed_in(superuser), acme).post(f"{TEAMS}add/", {"label": "Night shift"})

    assert "Night shift" not in signed_in(staff).get("/admin/").content.decode()


@pytest.mark.parametrize(("path", "queries"), [(TEAMS, 9), (TOKENS, 9), (AUDIT, 14)])
def test_a_list_costs_the_same_for_any_number_of_rows(
    staff: User, acme: Tenant, signed_in: SignedIn, path: str, queries: int
) -> None:
    client = signed_in(staff)
    client.get(path)  # Django keeps content types from here on
    until = timezone.now() + timedelta(days=1)
    costs = []

    for count in (2, 12):
        for number in range(count):
            team = Team.objects.create(tenant=acme, label=f"Team {count} {number}")
            team.add(staff)
            record(actor=Actor(staff.pk, acme.pk), action=f"a.{number}", target=team)
            issue_token(staff, tenant=acme, name="t", scopes=["read"], expires_at=until)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        costs.append(len(captured))

    assert costs == [queries, queries]
