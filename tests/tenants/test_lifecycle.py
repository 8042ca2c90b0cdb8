"""tenants/lifecycle.py and the command `tenant`: create, suspend, resume, limit."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from tenants.lifecycle import create_tenant, resume, set_quota, suspend
from tenants.models import AuditEntry, Membership, Tenant, TenantErasure, User
from tenants.quotas import Quota
from tests.tenants.conftest import SignedIn


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("tenant", *arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_a_tenant_is_created_and_audited(db: None) -> None:
    told = run_json("create", "acme-2", "--name", "Acme", "--queries", "100")

    tenant = Tenant.objects.get(key="acme-2")
    assert told["quota"] == {"queries": 100, "rows": None, "storage": None}
    assert (tenant.name, tenant.quota()) == ("Acme", Quota(queries=100))
    entry = AuditEntry.all_tenants.get(action="tenant.created")
    assert (entry.tenant, entry.user) == (tenant, None)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("admin", "reserved"),
        ("portal", "reserved"),
        ("Acme", "small letters"),
        ("a_b", "single hyphens"),
        ("a--b", "single hyphens"),
        ("-a", "single hyphens"),
        ("12", "at least one letter"),
        ("x" * 41, "40"),
    ],
)
def test_a_bad_key_is_refused_in_words(db: None, key: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("create", "--name", "Acme", "--", key)

    assert not Tenant.objects.exists()


def test_a_key_that_is_taken_is_refused(acme: Tenant) -> None:
    with pytest.raises(ValidationError):
        create_tenant("acme", name="Another")

    assert Tenant.objects.count() == 1


def test_suspending_keeps_why_when_and_by_whom(acme: Tenant, superuser: User) -> None:
    assert suspend(acme, reason=" unpaid ", by=superuser)
    assert not suspend(acme, reason="again", by=superuser)

    acme.refresh_from_db()
    assert (acme.is_active, acme.suspension_reason) == (False, "unpaid")
    assert (acme.suspended_by, acme.suspended_at is None) == (superuser, False)
    entry = AuditEntry.all_tenants.get(action="tenant.suspended")
    assert (entry.user, entry.changes) == (superuser, {"reason": "unpaid"})


def test_nobody_is_suspended_without_a_reason(acme: Tenant) -> None:
    with pytest.raises(CommandError, match="why"):
        run("suspend", "acme", "--reason", "  ")

    acme.refresh_from_db()
    assert acme.is_active


def test_resuming_restores_everything(
    acme: Tenant, user: User, signed_in: SignedIn
) -> None:
    client = signed_in(user)
    run("suspend", "acme", "--reason", "unpaid")
    closed = client.get("/")

    run("resume", "acme")

    acme.refresh_from_db()
    assert closed.status_code == 403
    assert client.get("/").status_code == 200
    assert (acme.suspension_reason, acme.suspended_at) == ("", None)
    assert AuditEntry.all_tenants.filter(action="tenant.resumed").count() == 1
    assert not resume(acme)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Acme is suspended"), ("ko", "정지")]
)
def test_a_member_reads_that_the_tenant_is_suspended(
    acme: Tenant, user: User, signed_in: SignedIn, language: str, words: str
) -> None:
    user.language = language
    user.save()
    suspend(acme, reason="secret reason")

    response = signed_in(user).get("/")

    text = response.content.decode()
    assert response.status_code == 403
    assert words in text
    assert "secret reason" not in text


def test_other_memberships_still_work_and_the_page_offers_them(
    acme: Tenant, globex: Tenant, user: User, signed_in: SignedIn
) -> None:
    Membership.objects.create(user=user, tenant=globex)
    client = signed_in(user)
    client.post("/switch-tenant/", {"key": "acme"})
    suspend(acme, reason="unpaid")

    closed = client.get("/")
    client.post("/switch-tenant/", {"key": "globex"})

    assert closed.status_code == 403
    assert '<option value="globex"' in closed.content.decode()
    assert '<option value="acme"' not in closed.content.decode()
    assert client.get("/").status_code == 200


def test_a_superuser_still_sees_a_suspended_tenant_in_the_admin(
    acme: Tenant, superuser: User, signed_in: SignedIn
) -> None:
    suspend(acme, reason="unpaid", by=superuser)

    page = signed_in(superuser).get(f"/admin/tenants/tenant/{acme.pk}/change/")

    assert page.status_code == 200
    assert "unpaid" in page.content.decode()


def test_limits_are_set_shown_and_taken_away(acme: Tenant) -> None:
    run("quota", "acme", "--queries", "10", "--storage", "5000")

    told = run("quota", "acme", "--queries", "none")

    acme.refresh_from_db()
    assert acme.quota() == Quota(storage=5000)
    assert "queries 0 of no limit" in told
    entries = AuditEntry.all_tenants.filter(action="tenant.limited").order_by("pk")
    assert [entry.changes for entry in entries] == [
        {"queries": [None, 10], "storage": [None, 5000]},
        {"queries": [10, None]},
    ]


def test_a_limit_that_is_no_number_is_refused(acme: Tenant) -> None:
    with pytest.raises(CommandError, match="limit"):
        run("quota", "acme", "--rows", "-1")
    with pytest.raises(ValidationError):
        set_quota(acme, Quota(rows=-1))


def test_the_list_names_every_tenant(acme: Tenant, globex: Tenant) -> None:
    suspend(globex, reason="unpaid")

    assert [row["key"] for row in run_json("list")] == ["acme", "globex"]
    assert "globex (Globex), suspended" in run("list")


@pytest.mark.parametrize("verb", ["resume", "quota"])
def test_a_tenant_that_is_not_there_is_named(db: None, verb: str) -> None:
    with pytest.raises(CommandError, match="No such tenant: nowhere"):
        run(verb, "nowhere")


def test_the_command_erases_after_an_export(acme: Tenant, tmp_path: Path) -> None:
    archive = tmp_path / "acme.zip"
    words = ["erase", "acme", "--reason", "over", "--export", str(archive)]
    with pytest.raises(CommandError, match="Type the key"):
        run(*words, "--confirm", "acne")
    with pytest.raises(CommandError, match="Suspend the tenant first"):
        run(*words, "--confirm", "acme")
    assert not archive.exists()
    run("suspend", "acme", "--reason", "over")

    told = run_json(*words, "--confirm", "acme")

    assert archive.stat().st_size > 0
    assert archive.stat().st_mode & 0o077 == 0
    assert not Tenant.objects.exists()
    assert told["tenant"]["key"] == "acme"
    assert TenantErasure.objects.get().signature == told["signature"]


ADMIN = "/admin/tenants/tenant/"
NO_MEMBERS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def change(client: Client, tenant: Tenant, **values: object) -> int:
    form = {"name": tenant.name, **NO_MEMBERS, **values}
    return client.post(f"{ADMIN}{tenant.pk}/change/", form).status_code


def test_the_admin_suspends_and_resumes(
    acme: Tenant, superuser: User, signed_in: SignedIn
) -> None:
    client = signed_in(superuser)

    without_reason = change(client, acme)
    suspended = change(client, acme, suspension_reason="unpaid", max_rows_per_day=5)
    acme.refresh_from_db()
    state = (acme.is_active, acme.suspension_reason, acme.suspended_by)
    change(client, acme, is_active="on", suspension_reason="unpaid")

    acme.refresh_from_db()
    assert (without_reason, suspended) == (200, 302)
    assert state == (False, "unpaid", superuser)
    assert (acme.is_active, acme.suspension_reason) == (True, "")
    actions = set(AuditEntry.all_tenants.values_list("action", flat=True))
    assert {"tenant.suspended", "tenant.resumed", "tenant.changed"} <= actions


def test_the_admin_makes_no_tenant_with_a_bad_key(
    superuser: User, signed_in: SignedIn
) -> None:
    client = signed_in(superuser)

    refused = client.post(f"{ADMIN}add/", {"name": "A", "key": "all", **NO_MEMBERS})
    made = client.post(f"{ADMIN}add/", {"name": "A", "key": "acme", **NO_MEMBERS})

    assert "reserved" in refused.content.decode()
    assert made.status_code == 302
    assert Tenant.objects.get().is_active


def test_the_admin_erases_when_the_key_is_typed(
    acme: Tenant, superuser: User, signed_in: SignedIn
) -> None:
    client = signed_in(superuser)
    page = f"{ADMIN}{acme.pk}/erase/"
    early = client.post(page, {"key": "acme", "reason": "over"})
    suspend(acme, reason="over", by=superuser)

    wrong = client.post(page, {"key": "acne", "reason": "over"})
    done = client.post(page, {"key": "acme", "reason": "over"}, follow=True)

    assert "Suspend the tenant first" in early.content.decode()
    assert "Type the key" in wrong.content.decode()
    assert "icon-yes" in done.content.decode()
    assert not Tenant.objects.exists()
    assert TenantErasure.objects.get().erased_by == "root"


@pytest.mark.parametrize("page", ["export", "erase"])
def test_staff_reach_neither_export_nor_erasure(
    acme: Tenant, staff: User, signed_in: SignedIn, page: str
) -> None:
    suspend(acme, reason="over")
    answer = signed_in(staff).post(f"{ADMIN}{acme.pk}/{page}/", {"key": "acme"})

    assert answer.status_code in {302, 403, 404}
    assert Tenant.objects.exists()


def test_the_admin_sends_the_archive(
    acme: Tenant, superuser: User, signed_in: SignedIn
) -> None:
    response = signed_in(superuser).post(f"{ADMIN}{acme.pk}/export/", {})

    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == 'attachment; filename="acme.zip"'
    assert body.startswith(b"PK")


def test_staff_add_no_row_when_the_storage_is_used_up(
    acme: Tenant, staff: User, signed_in: SignedIn
) -> None:
    from tenants.lifecycle import note_storage
    from tenants.models import Team

    Tenant.objects.update(max_storage_bytes=100)
    acme.refresh_from_db()
    note_storage(acme, 100)
    client = signed_in(staff)

    refused = client.post("/admin/tenants/team/add/", {"label": "Ops"})
    note_storage(acme, 99)
    made = client.post("/admin/tenants/team/add/", {"label": "Ops"})

    assert "100 of 100 bytes" in refused.content.decode()
    assert made.status_code == 302
    assert Team.objects.count() == 1
