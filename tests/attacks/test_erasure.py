"""A tenant with rows in every table is exported and erased; nothing else is touched."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from guardian.shortcuts import assign_perm

from connectors.models import DataSource, RegisteredTable
from connectors.query_safety_models import QuerySafetyCheck
from menus.checklist_models import FirstStep
from menus.models import Favourite, Menu, RecentVisit
from observability import storage
from observability.log_index import SQLITE_TABLE, asked_pairs
from observability.models import LogLine, Review, ReviewSignature
from observability.recorder import Cell
from observability.slo import Tally
from tenants import erasing, holdings
from tenants.audit import verify_chain
from tenants.erasing import NotErased, erase_tenant, is_genuine
from tenants.exporting import export_tenant
from tenants.lifecycle import suspend
from tenants.metering import meter
from tenants.models import (
    AuditChain,
    AuditEntry,
    Membership,
    Team,
    Tenant,
    TenantErasure,
    User,
)
from tenants.scope import using_tenant
from tests.attacks.conftest import MARK, SignIn, World

REASON = "Contract 17 has ended."
MOMENT = datetime(2026, 10, 1, tzinfo=UTC)
SECRET_WORDS = ("secret", "password", "token", "api_key")


@pytest.fixture(autouse=True)
def _as_it_was(db: None, world: World) -> None:
    """The world is shared by the module: what a test did to its tenant is undone."""
    world.namu = Tenant.objects.get(key="namu")


def fill(world: World) -> None:
    """Add what the marked rows lack: grants, use, visits, signatures, log entries."""
    menu, person = world.rows[Menu], world.rows[User]
    team = Team.objects.get(tenant=world.namu, label=f"{MARK} team")
    assign_perm("menus.view_menu", team, menu)
    assign_perm("menus.view_menu", person, menu)
    meter.count(world.namu.pk, queries=3, rows=40)
    meter.flush()
    with using_tenant(world.namu):
        Favourite.objects.create(user=person, menu=menu)
        RecentVisit.objects.create(user=person, menu=menu, visited_at=MOMENT)
        FirstStep.objects.create(user=person, step=FirstStep.Step.values[0], at=MOMENT)
        source = world.rows[DataSource]
        RegisteredTable.objects.create(source=source, name=MARK, shared=True)
        QuerySafetyCheck.objects.create(source=source, database=MARK, held=True)
        ReviewSignature.objects.create(review=world.rows[Review], user=person)
    cell = Cell(29_600_000, "page", MARK, str(world.namu.pk))
    assert storage.write({cell: Tally(count=1)})
    LogEntry.objects.create(
        user=world.admin,
        content_type=ContentType.objects.get_for_model(Menu),
        object_id=str(menu.pk),
        object_repr=MARK,
        action_flag=2,
        change_message="",
    )


def erased(world: World) -> TenantErasure:
    fill(world)
    suspend(world.namu, reason=REASON, by=world.admin)
    return erase_tenant(world.namu, typed="namu", reason=REASON, by=world.admin)


def rows_of_others(tenant: Tenant) -> dict[str, int]:
    """Count what is not the tenant's, by model; the audit trail grows by itself."""
    counts = {}
    for model in holdings.tenant_models():
        field = holdings.tenant_field(model)
        if field is not None and model is not AuditEntry:
            rows = holdings.plain(model).exclude(**{field.attname: tenant.pk})
            counts[model._meta.label] = rows.count()
    return counts


def test_no_table_that_names_a_tenant_has_a_row_left(db: None, world: World) -> None:
    before = holdings.count_in_tables(world.namu)
    lived_in = {table for table, count in before.items() if count}
    others = rows_of_others(world.namu)

    proof = erased(world)

    after = holdings.count_in_tables(world.namu)
    assert len(lived_in) >= 25
    assert set(after) >= lived_in
    assert {table: count for table, count in after.items() if count} == {}
    assert not Tenant.objects.filter(key="namu").exists()
    assert rows_of_others(world.namu) == others
    assert proof.certificate["counts_after"] == after
    connection.check_constraints()


def test_every_model_of_tenants_is_filled_before_it_is_erased(
    db: None, world: World
) -> None:
    """A table that is empty before proves nothing afterwards."""
    fill(world)

    empty = {
        model._meta.label
        for model in holdings.tenant_models()
        if not holdings.rows_of(model, world.namu.pk).exists()
    }

    assert empty == set()


def test_people_without_another_tenant_go_and_the_others_stay(
    db: None, world: World, sign_in: SignIn
) -> None:
    both = User.objects.create_user("both", language="en")
    for tenant in (world.namu, world.hanbit):
        Membership.objects.create(user=both, tenant=tenant)
    gone = world.rows[User]
    browsers = {user.username: sign_in(user) for user in (both, gone)}
    browsers["both"].post("/switch-tenant/", {"key": "namu"})

    proof = erased(world)

    assert not User.objects.filter(pk=gone.pk).exists()
    assert User.objects.filter(pk__in=[both.pk, world.admin.pk]).count() == 2
    people = proof.certificate["people"]
    assert people["deleted"] >= 1
    assert people["kept"] >= 1
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert str(gone.pk) not in {told.get("_auth_user_id") for told in sessions}
    assert world.namu.pk not in {told.get("tenant_id") for told in sessions}
    assert browsers["both"].get("/").status_code == 200
    assert browsers[gone.username].get("/").status_code == 302


def test_what_hangs_on_its_rows_goes_with_them(db: None, world: World) -> None:
    cache.set(f"last-good:{world.namu.pk}:x:1:y", b"kept", timeout=60)
    cache.set(f"last-good:{world.hanbit.pk}:x:1:y", b"kept", timeout=60)

    erased(world)

    assert cache.get(f"last-good:{world.namu.pk}:x:1:y") is None
    assert cache.get(f"last-good:{world.hanbit.pk}:x:1:y") == b"kept"
    assert not LogEntry.objects.filter(object_repr=MARK).exists()
    assert all(not each.rows(world.namu.pk).exists() for each in holdings.hanging())
    assert not AuditChain.objects.filter(pk=world.namu.pk).exists()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            asked = [asked_pairs(MARK)]
            found = f"SELECT COUNT(*) FROM {SQLITE_TABLE} WHERE {SQLITE_TABLE} MATCH %s"
            cursor.execute(found, asked)
            assert cursor.fetchone()[0] == 0


def test_no_text_of_the_portal_names_the_tenant_any_more(
    db: None, world: World
) -> None:
    """Its marks were in every kind of text; what is left is said in the certificate."""
    assert len(holdings.mentions([MARK])) > 20

    proof = erased(world)

    left = holdings.mentions([MARK])
    assert left == {}
    assert proof.certificate["mentioned_elsewhere"] == holdings.mentions(
        ["namu", "Namu Foods"]
    ) or set(proof.certificate["mentioned_elsewhere"]) <= {
        "tenants_auditentry.label",
        "tenants_auditentry.changes",
    }


def test_the_proof_is_signed_and_shows_tampering(db: None, world: World) -> None:
    proof = erased(world)

    told = proof.certificate
    proof.refresh_from_db()
    assert is_genuine(proof)
    assert told["counts_before"]["menus_menu"] > 0
    assert told["audit_chain"]["length"] > 0
    assert len(told["audit_chain"]["last_hash"]) == 64
    assert (told["tenant"]["key"], told["erased_by"]) == ("namu", "admin")
    assert told["may_remain"]
    entry = AuditEntry.all_tenants.get(action="tenant.erased")
    assert (entry.tenant_id, entry.changes) == (None, {"certificate": told["sha256"]})
    assert verify_chain(None) is None
    for name, value in (("reason", "another"), ("sha256", "0" * 64)):
        forged = TenantErasure.objects.get(pk=proof.pk)
        forged.certificate[name] = value
        assert not is_genuine(forged)
    with pytest.raises(RuntimeError, match="kept for good"):
        proof.delete()


def test_an_erasure_that_was_interrupted_goes_on_with_its_first_counts(
    db: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    suspend(world.namu, reason=REASON)

    def break_off(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "_delete_the_rest", break_off)
        with pytest.raises(ConnectionError):
            erase_tenant(world.namu, typed="namu", reason=REASON)
    lines = LogLine.objects.filter(tenant=world.namu).count()
    world.namu.refresh_from_db()
    proof = erase_tenant(world.namu, typed="namu", reason="again")

    assert lines == 0
    assert proof.certificate["counts_before"]["observability_logline"] > 0
    assert proof.certificate["reason"] == REASON
    assert TenantErasure.objects.count() == 1


def test_a_row_that_is_left_behind_takes_the_last_step_back(
    db: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    suspend(world.namu, reason=REASON)
    # A table that no model knows, such as one of an app that was taken out.
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (tenant_key varchar(40))")
        cursor.execute("INSERT INTO left_behind VALUES ('namu')")

    with pytest.raises(NotErased, match="left_behind"):
        erase_tenant(world.namu, typed="namu", reason=REASON)

    assert Tenant.objects.filter(key="namu").exists()
    assert TenantErasure.objects.get().ended_at is None


@pytest.mark.parametrize("typed", ["", "Namu", "hanbit"])
def test_nothing_goes_unless_the_key_is_typed_and_the_tenant_is_suspended(
    db: None, world: World, typed: str
) -> None:
    with pytest.raises(ValidationError, match=r"Suspend|정지"):
        erase_tenant(world.namu, typed="namu", reason=REASON)
    suspend(world.namu, reason=REASON)
    with pytest.raises(ValidationError, match="namu"):
        erase_tenant(world.namu, typed=typed, reason=REASON)
    with pytest.raises(ValidationError):
        erase_tenant(world.namu, typed="namu", reason=" ")

    assert Menu.all_tenants.filter(tenant=world.namu).exists()


# --- Export -----------------------------------------------------------------------


def exported(world: World, *, why: str = "") -> tuple[dict[str, bytes], Any]:
    file = io.BytesIO()
    export_tenant(world.namu, file, personal_data_reason=why, by=world.admin)
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, json.loads(files.pop("manifest.json"))


def test_an_export_holds_every_row_with_counts_and_checksums(
    db: None, world: World
) -> None:
    fill(world)
    counts = {
        model._meta.label: holdings.rows_of(model, world.namu.pk).count()
        for model in holdings.tenant_models()
    }

    files, manifest = exported(world)

    assert set(files) == set(manifest["files"])
    for name, content in files.items():
        told = manifest["files"][name]
        assert told["sha256"] == hashlib.sha256(content).hexdigest()
        assert told["rows"] == len(content.splitlines())
    for label, rows in counts.items():
        assert manifest["files"][f"rows/{label}.jsonl"]["rows"] == rows
    assert manifest["migrations"]["tenants"].startswith("00")
    assert manifest["files"]["users.jsonl"]["rows"] > 0


def test_an_export_holds_nothing_of_another_tenant(db: None, world: World) -> None:
    files, _manifest = exported(world)

    for name, content in files.items():
        for line in content.splitlines():
            row = json.loads(line)
            assert row.get("tenant_id", world.namu.pk) == world.namu.pk, name


def test_an_export_holds_no_secret(db: None, world: World) -> None:
    source = world.rows[DataSource]
    assert source.secret

    files, manifest = exported(world, why="Article 20")

    everything = b"".join(files.values()).decode()
    assert source.secret not in everything
    assert f"{MARK} password" not in everything
    assert world.rows[User].password not in everything
    left_out = manifest["left_out"]
    assert left_out["connectors.DataSource"]["secret"] == "secret"
    assert left_out["tenants.User"] == {"password": "secret"}


def test_fields_that_sound_like_secrets_are_left_out_of_exports() -> None:
    found = {
        f"{model._meta.label}.{field.name}"
        for model in holdings.tenant_models()
        for field in model._meta.local_fields
        if any(
            word in field.name for word in ("secret", "password", "token", "api_key")
        )
        if field.name not in getattr(model, "sealed_fields", ())
    }

    assert found <= {"connectors.DataSource.secret_set_at"} | _COUNTS_OF_WORDS


_COUNTS_OF_WORDS = {
    "branching.Fact.secret",  # whether its value is hidden, not a secret itself
    "copilot.CopilotPolicy.tokens_per_day",
    "copilot.ModelCall.tokens",
}


def test_people_are_named_only_with_a_reason_that_is_audited(
    db: None, world: World
) -> None:
    person = world.rows[User]
    person.email = "person@example.com"
    person.save()

    without, manifest = exported(world)
    named, _ = exported(world, why="Article 20 request 5")

    assert b"person@example.com" not in without["users.jsonl"]
    assert b"person@example.com" in named["users.jsonl"]
    assert manifest["personal_data"] is False
    assert manifest["left_out"]["tenants.User"]["email"] == "personal"
    entries = AuditEntry.all_tenants.filter(action="tenant.exported").order_by("pk")
    reasons = [entry.changes.get("personal data for") for entry in entries]
    assert reasons == [None, "Article 20 request 5"]
    with pytest.raises(ValidationError):
        exported(world, why="  ")


def test_two_exports_of_the_same_state_are_the_same(db: None, world: World) -> None:
    first, _ = exported(world)
    second, _ = exported(world)

    differ = {name for name in first if first[name] != second[name]}
    # The export itself is audited.
    assert differ == {"rows/tenants.AuditEntry.jsonl"}
