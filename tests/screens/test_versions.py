"""Versions: saved on the newest base, checked when published, never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction

from branching.models import DecisionTable
from screens.document import Document, parse_document
from screens.models import PublishedVersionChanged, Screen, ScreenVersion
from screens.services import (
    OpenPage,
    StaleBase,
    preview,
    publish,
    published_document,
    revert,
    save_version,
    screen_faults,
)
from tenants.models import AuditEntry, Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor, NoTenantScope
from tests.screens.conftest import MakeOperation, MakeScreen, block, body

pytestmark = pytest.mark.usefixtures("in_acme")


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def saved(screen: Screen, document: Any, actor: Actor, base: int = 0) -> ScreenVersion:
    version = save_version(screen, document, actor=actor, base_version=base)
    assert isinstance(version, ScreenVersion), version
    return version


def test_every_save_is_a_new_draft(chief: Actor) -> None:
    screen = Screen.objects.create(key="ops")

    first = saved(screen, body(block("a")), chief)
    second = saved(screen, body(block("b")), chief, base=1)

    assert [first.number, second.number] == [1, 2]
    assert second.state == ScreenVersion.State.DRAFT
    assert second.author_id == chief.user_id
    assert AuditEntry.all_tenants.filter(action="screen.saved").count() == 2


def test_a_save_on_an_old_base_is_refused(chief: Actor) -> None:
    screen = Screen.objects.create(key="ops")
    saved(screen, body(block("a")), chief)
    newest = saved(screen, body(block("b")), chief, base=1)

    found = save_version(screen, body(block("c")), actor=chief, base_version=1)

    assert found == StaleBase(newest)
    assert screen.versions.count() == 2


def test_a_document_with_faults_is_not_saved(chief: Actor) -> None:
    screen = Screen.objects.create(key="ops")

    found = save_version(screen, body(), actor=chief, base_version=0)

    assert isinstance(found, tuple)
    assert [each.pointer for each in found] == ["/blocks"]
    assert found[0].message
    assert not screen.versions.exists()


def test_publishing_shows_the_version_and_its_title(
    operation: MakeOperation, chief: Actor
) -> None:
    operation("a", "/rows/a")
    screen = Screen.objects.create(key="ops")
    version = saved(screen, body(block("a"), title={"ko": "현황", "en": "Now"}), chief)

    publish(version, actor=chief)
    again = publish(version, actor=chief)

    screen.refresh_from_db()
    assert again == version
    assert screen.published == version
    assert str(screen) == "Now"
    assert AuditEntry.all_tenants.filter(action="screen.published").count() == 1


def test_names_that_lead_nowhere_stop_publishing(
    operation: MakeOperation, chief: Actor
) -> None:
    operation("stock", "/rows/a")
    DecisionTable.objects.create(
        key="which", default_operation="gone", default_response="loud"
    )
    screen = Screen.objects.create(key="ops")
    document = body(
        block("a", "stok"), block("b", table="wich"), block("c", table="which")
    )

    found = publish(saved(screen, document, chief), actor=chief)

    assert isinstance(found, tuple)
    assert {(each.pointer, each.rule, each.expected) for each in found} == {
        ("/blocks/0/source/operation", "missing-operation", "stock"),
        ("/blocks/1/source/decision_table", "missing-table", "which"),
        ("/blocks/2/source/decision_table", "missing-operation", ""),
        ("/blocks/2/responses", "missing-presentation", "loud"),
    }
    assert all(each.message for each in found)


def test_publishing_and_previewing_need_the_use_of_every_operation(
    operation: MakeOperation, actor: Actor, user: User
) -> None:
    mine = operation("mine", "/rows/a")
    operation("theirs", "/rows/b")
    grant("use_operation", mine, to=user, actor=None)
    DecisionTable.objects.create(key="which", default_operation="theirs")
    screen = Screen.objects.create(key="ops")
    document = body(block("mine"), block("theirs"), block("t", table="which"))
    version = saved(screen, document, actor)
    parsed = parse_document(document)
    assert isinstance(parsed, Document)

    for found in (publish(version, actor=actor), preview(parsed, actor=actor)):
        assert isinstance(found, tuple)
        assert [(each.pointer, each.rule) for each in found] == [  # type: ignore[union-attr]
            ("/blocks/1/source/operation", "not-allowed"),
            ("/blocks/2/source/decision_table", "not-allowed"),
        ]


def test_a_preview_runs_what_nobody_saved(
    operation: MakeOperation, chief: Actor
) -> None:
    operation("a", "/rows/a")
    parsed = parse_document(body(block("a")))
    assert isinstance(parsed, Document)

    page = preview(parsed, actor=chief)

    assert isinstance(page, OpenPage)
    assert [drawn.failed for drawn in page] == [False]
    assert page.version == 0


def test_a_published_version_is_never_changed(
    screen: MakeScreen, operation: MakeOperation
) -> None:
    operation("a", "/rows/a")
    version = screen(block("a")).published
    assert version is not None
    version.note = "changed"

    with pytest.raises(PublishedVersionChanged):
        version.save()
    with pytest.raises(PublishedVersionChanged):
        version.delete()

    version.refresh_from_db()
    assert version.note == ""


def test_the_database_keeps_numbers_apart(chief: Actor) -> None:
    screen = Screen.objects.create(key="ops")
    saved(screen, body(block("a")), chief)

    with pytest.raises(IntegrityError), transaction.atomic():
        ScreenVersion.objects.create(screen=screen, number=1, body={})


def test_going_back_is_a_new_version(
    screen: MakeScreen, operation: MakeOperation, chief: Actor
) -> None:
    operation("a", "/rows/a")
    operation("b", "/rows/b")
    made = screen(block("a"))
    publish(saved(made, body(block("b")), chief, base=1), actor=chief)

    back = revert(made, 1, actor=chief)

    assert isinstance(back, ScreenVersion)
    made.refresh_from_db()
    assert made.published == back
    assert back.number == 3
    assert published_document(back).blocks[0].id == "a"
    assert made.versions.count() == 3


def test_going_back_to_what_no_longer_works_changes_nothing(
    screen: MakeScreen, operation: MakeOperation, chief: Actor
) -> None:
    gone = operation("a", "/rows/a")
    operation("b", "/rows/b")
    made = screen(block("a"))
    publish(saved(made, body(block("b")), chief, base=1), actor=chief)
    gone.delete()

    found = revert(made, 1, actor=chief)

    assert isinstance(found, tuple)
    made.refresh_from_db()
    assert made.published is not None
    assert made.published.number == 2
    assert made.versions.count() == 2


def test_equal_documents_are_parsed_once(
    screen: MakeScreen, operation: MakeOperation
) -> None:
    operation("a", "/rows/a")
    first = screen(block("a"), key="one").published
    second = screen(block("a"), key="two").published
    assert first is not None
    assert second is not None

    assert first.digest == second.digest
    assert published_document(first) is published_document(second)


def test_faults_of_published_screens_are_found(
    screen: MakeScreen, operation: MakeOperation
) -> None:
    gone = operation("a", "/rows/a")
    screen(block("a"))
    assert screen_faults() == {"ops": ()}
    gone.delete()

    assert [each.rule for each in screen_faults()["ops"]] == ["missing-operation"]


def test_a_screen_and_its_versions_are_deleted_together(
    screen: MakeScreen, operation: MakeOperation
) -> None:
    operation("a", "/rows/a")

    screen(block("a")).delete()

    assert not ScreenVersion.objects.exists()


def test_screens_of_another_tenant_are_out_of_reach(
    screen: MakeScreen, operation: MakeOperation, globex: Tenant
) -> None:
    from tenants.scope import using_tenant

    operation("a", "/rows/a")
    screen(block("a"))

    with using_tenant(globex):
        assert not Screen.objects.exists()
        assert not ScreenVersion.objects.exists()


def test_without_a_scope_no_screen_can_be_asked(db: None) -> None:
    import contextvars

    with pytest.raises(NoTenantScope):
        contextvars.Context().run(Screen.objects.count)
