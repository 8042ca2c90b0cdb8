"""A tenant with rows in every table is exported and erased; nothing else is touched."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from guardian.shortcuts import assign_perm

from menus.models import Menu
from tenants import holdings
from tenants.erasing import erase_tenant
from tenants.lifecycle import suspend
from tenants.metering import meter
from tenants.models import (
    AuditEntry,
    Team,
    Tenant,
    TenantErasure,
    User,
)
from tests.attacks.conftest import MARK, World

REASON = "Contract 17 has ended."


def fill(world: World) -> None:
    """Add what the marked rows lack: grants, use, log lines, traces, sessions."""
    menu = world.rows[Menu]
    team = Team.objects.get(tenant=world.namu, label=f"{MARK} team")
    assign_perm("menus.view_menu", team, menu)
    assign_perm("menus.view_menu", world.rows[User], menu)
    meter.count(world.namu.pk, queries=3, rows=40)
    meter.flush()
    LogEntry.objects.create(
        user=world.admin,
        content_type=ContentType.objects.get_for_model(Menu),
        object_id=str(menu.pk),
        object_repr=MARK,
        action_flag=2,
        change_message="",
    )
    cache.set(f"last-good:{world.namu.pk}:x:1:y", b"kept", timeout=60)


def erased(world: World) -> TenantErasure:
    fill(world)
    suspend(world.namu, reason=REASON, by=world.admin)
    return erase_tenant(world.namu, typed="namu", reason=REASON, by=world.admin)


def rows_of_others(tenant: Tenant) -> dict[str, int]:
    return {
        model._meta.label: holdings.plain(model)
        .exclude(**{holdings.tenant_field(model).attname: tenant.pk})  # type: ignore[union-attr]
        .count()
        for model in holdings.tenant_models()
        if model is not AuditEntry
    }


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
