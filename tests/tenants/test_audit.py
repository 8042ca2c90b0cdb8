"""tenants/audit.py: entries are final, and a sealed chain shows every tampering."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import models, transaction

from tenants.audit import (
    Break,
    chains,
    entry_hash,
    record,
    seal,
    seal_all,
    unsealed,
    verify_chain,
)
from tenants.messages import break_text
from tenants.models import AuditChain, AuditEntry, AuditIsFinal, Tenant, User
from tenants.scope import Actor, NoTenantScope, using_tenant
from tenants.tasks import seal_audit

PLAIN: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry)


@pytest.fixture
def sealed(actor: Actor, acme: Tenant, globex: Tenant) -> list[AuditEntry]:
    """Five sealed entries of acme; one of globex and one of the portal in between."""
    entries = []
    for number in range(5):
        entries.append(
            record(
                actor=actor, action="screen.changed", target=acme,
                label=f"화면 {number}", changes={"title": ["a", {"ko": "나"}]},
            )
        )  # fmt: skip
        if number == 2:
            record(actor=None, action="tenant.changed", target=globex)
            record(actor=None, action="portal.started", target=None)
    assert seal_all() == 7
    return entries


def test_an_entry_says_who_did_what_to_which_row(
    user: User, acme: Tenant, superuser: User
) -> None:
    viewing = Actor(user_id=user.pk, tenant_id=acme.pk, acting_for=superuser.pk)

    entry = record(
        actor=viewing,
        action="tenant.changed",
        target=acme,
        changes={"name": ["A", "B"]},
    )

    entry.refresh_from_db()
    assert (entry.tenant, entry.user, entry.acting_for) == (acme, user, superuser)
    assert (entry.target_type, entry.target_id) == ("tenants.Tenant", str(acme.pk))
    assert (entry.label, entry.changes) == ("Acme", {"name": ["A", "B"]})


def test_without_an_actor_the_tenant_is_that_of_the_row_or_the_scope(
    acme: Tenant, globex: Tenant
) -> None:
    of_row = record(actor=None, action="a.b", target=globex)
    with using_tenant(acme):
        of_scope = record(actor=None, action="a.b", target=None)
    of_portal = record(actor=None, action="a.b", target=None)

    found = [entry.tenant_id for entry in (of_row, of_scope, of_portal)]
    assert found == [globex.pk, acme.pk, None]


def test_an_entry_vanishes_with_the_change_that_failed(actor: Actor) -> None:
    with transaction.atomic():
        record(actor=actor, action="a.b", target=None)
        transaction.set_rollback(True)

    assert not AuditEntry.all_tenants.exists()


def test_entries_are_read_in_a_scope_only(actor: Actor, acme: Tenant) -> None:
    record(actor=actor, action="a.b", target=None)

    with pytest.raises(NoTenantScope):
        AuditEntry.objects.all()
    with using_tenant(acme):
        assert AuditEntry.objects.count() == 1
    with using_tenant(acme.pk + 1):
        assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(AuditEntry.save, id="save"),
        pytest.param(AuditEntry.delete, id="delete"),
        pytest.param(
            lambda _entry: AuditEntry.all_tenants.update(action="x"), id="update"
        ),
        pytest.param(
            lambda _entry: AuditEntry.all_tenants.all().delete(), id="delete all"
        ),
        pytest.param(
            lambda entry: AuditEntry.all_tenants.bulk_update([entry], ["label"]),
            id="bulk update",
        ),
        pytest.param(
            lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(label="x"),
            id="update in a scope",
        ),
    ],
)
def test_an_entry_is_final(
    actor: Actor, in_acme: Tenant, change: Callable[[AuditEntry], Any]
) -> None:
    entry = record(actor=actor, action="a.b", target=None)

    with pytest.raises(AuditIsFinal):
        change(entry)

    assert AuditEntry.all_tenants.get().action == "a.b"


def test_entries_outlive_their_user_and_the_chain_holds(
    sealed: list[AuditEntry], user: User, acme: Tenant
) -> None:
    number = user.pk

    user.delete()

    assert AuditEntry.all_tenants.filter(user_id=number).count() == 5
    assert verify_chain(acme) is None


def test_chains_are_one_per_tenant_and_hold(
    sealed: list[AuditEntry], acme: Tenant, globex: Tenant
) -> None:
    numbers = AuditEntry.all_tenants.of_chain(acme.pk).order_by("pk")

    assert list(numbers.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert [verify_chain(key) for key in chains()] == [None, None, None]
    assert set(chains()) == {None, acme.pk, globex.pk}


def test_sealing_goes_on_where_it_stopped(
    sealed: list[AuditEntry], actor: Actor, acme: Tenant
) -> None:
    record(actor=actor, action="a.b", target=None)

    waiting = unsealed(acme)
    sealed_now = seal(acme), seal(acme)

    assert (waiting, sealed_now, unsealed(acme)) == (1, (1, 0), 0)
    assert AuditChain.objects.get(pk=acme.pk).length == 6
    assert verify_chain(acme) is None


def test_entries_that_wait_for_the_seal_do_not_break_the_chain(
    sealed: list[AuditEntry], actor: Actor, acme: Tenant
) -> None:
    record(actor=actor, action="a.b", target=None)

    assert verify_chain(acme) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "screen.viewed"),
        ("label", "forged"),
        ("changes", {}),
        ("user_id", None),
        ("acting_for_id", 1),
        ("target_id", "999"),
        ("target_type", "x"),
        ("at", "2020-01-01T00:00:00Z"),
        ("hash", "0" * 64),
    ],
)
def test_a_changed_entry_is_named(
    sealed: list[AuditEntry], acme: Tenant, field: str, value: object
) -> None:
    victim = sealed[2]
    PLAIN.filter(pk=victim.pk).update(**{field: value})

    assert verify_chain(acme) == Break(3, victim.pk, "changed-entry")


def test_a_deleted_entry_is_missed(sealed: list[AuditEntry], acme: Tenant) -> None:
    PLAIN.filter(pk=sealed[1].pk).delete()

    assert verify_chain(acme) == Break(2, None, "missing-entry")


def test_the_last_entry_is_missed_too(sealed: list[AuditEntry], acme: Tenant) -> None:
    PLAIN.filter(pk=sealed[4].pk).delete()

    assert verify_chain(acme) == Break(5, None, "missing-entry")


def test_an_entry_put_behind_the_head_is_found(
    sealed: list[AuditEntry], acme: Tenant
) -> None:
    last = PLAIN.get(pk=sealed[4].pk)
    forged = AuditEntry(tenant=acme, action="a.b", number=6, previous_hash=last.hash)
    forged.save()
    PLAIN.filter(pk=forged.pk).update(hash=entry_hash(forged))

    found = verify_chain(acme)

    assert found is not None
    assert found.rule == "beyond-head"


def test_two_swapped_entries_are_found(sealed: list[AuditEntry], acme: Tenant) -> None:
    PLAIN.filter(pk=sealed[1].pk).update(number=99)
    PLAIN.filter(pk=sealed[2].pk).update(number=2)
    PLAIN.filter(pk=sealed[1].pk).update(number=3)

    assert verify_chain(acme) == Break(2, sealed[2].pk, "wrong-predecessor")


def test_a_break_is_told_in_words() -> None:
    for rule in ("missing-entry", "wrong-predecessor", "changed-entry", "beyond-head"):
        assert "7" in break_text(Break(7, None, rule))


def test_the_task_seals_every_chain(actor: Actor, acme: Tenant) -> None:
    record(actor=actor, action="a.b", target=None)

    assert seal_audit.call() == 1
    assert unsealed(acme) == 0


def verified(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("audit_verify", *arguments, "--json", stdout=out)
    except SystemExit as stopped:
        return int(str(stopped.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_the_command_is_content_with_a_sound_trail(sealed: list[AuditEntry]) -> None:
    status, answer = verified()

    assert (status, answer["sound"], len(answer["chains"])) == (0, True, 3)


def test_the_command_fails_on_a_broken_trail(
    sealed: list[AuditEntry], acme: Tenant
) -> None:
    PLAIN.filter(pk=sealed[0].pk).update(label="forged")

    status, answer = verified("--tenant", "acme", "--seal")

    assert (status, answer["sound"]) == (1, False)
    assert answer["chains"][0]["rule"] == "changed-entry"
    assert answer["chains"][0]["entry"] == sealed[0].pk
    assert verified("--tenant", "globex")[0] == 0


def test_the_command_seals_when_asked(
    sealed: list[AuditEntry], actor: Actor, acme: Tenant
) -> None:
    record(actor=actor, action="a.b", target=None)
    out = StringIO()

    call_command("audit_verify", "--tenant", "acme", "--seal", stdout=out)

    assert out.getvalue() == "acme: sound, 1 sealed now, 0 not sealed yet.\n"


def test_the_command_says_when_there_is_nothing(db: None) -> None:
    out = StringIO()

    call_command("audit_verify", stdout=out)

    assert out.getvalue() == "There are no audit entries yet.\n"


def test_the_command_refuses_an_unknown_tenant(db: None) -> None:
    with pytest.raises(CommandError, match="initech"):
        call_command("audit_verify", "--tenant", "initech")
