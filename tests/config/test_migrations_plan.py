"""What a deploy would run, and what each migration risks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import cast

import pytest
from django.apps.registry import Apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.recorder import MigrationRecorder

from config.migrating.history import disk_loader
from config.migrating.risks import locks_of, risks_of


@pytest.fixture
def menus_wait(transactional_db: None) -> Iterator[None]:
    """A database to which the migrations of menus seem new."""
    recorder = MigrationRecorder(connection)
    names = [name for app, name in disk_loader().disk_migrations if app == "menus"]
    for name in names:
        recorder.record_unapplied("menus", name)
    yield
    for name in names:
        recorder.record_applied("menus", name)


def test_what_waits_is_told_with_its_sql(menus_wait: None) -> None:
    out = StringIO()

    call_command("migrations_plan", json=True, stdout=out)

    plan = json.loads(out.getvalue())
    first = next(entry for entry in plan if entry["app"] == "menus")
    assert first["name"] == "0001_initial"
    assert first["own"] is True
    assert any('CREATE TABLE "menus_menu"' in line for line in first["sql"])
    assert first["safe"] is (first["risks"] == [])
    assert connection.introspection.table_names().count("menus_menu") == 1


def test_people_read_it_as_lines(menus_wait: None) -> None:
    out = StringIO()

    call_command("migrations_plan", stdout=out)

    assert "safe  menus.0001_initial" in out.getvalue()
    assert 'CREATE TABLE "menus_menu"' in out.getvalue()
    assert " migrations, " in out.getvalue().splitlines()[-1]


@pytest.mark.django_db
def test_nothing_waits_when_all_is_applied() -> None:
    out = StringIO()

    call_command("migrations_plan", stdout=out)

    assert out.getvalue() == "0 migrations, 0 with a risk.\n"


def all_at_once(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute("UPDATE thing SET word = lower(word)")


def in_batches(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    for batch in (range(500), range(500, 1000)):
        editor.execute(f"UPDATE thing SET word = '' WHERE id >= {batch.start}")


def migration(*operations: Operation) -> migrations.Migration:
    kept = {"operations": list(operations)}
    made = type("Migration", (migrations.Migration,), kept)
    return cast("migrations.Migration", made("0002_more", "things"))


INDEX = models.Index(fields=["word"], name="by_word")
NOOP = migrations.RunPython.noop
TABLE = migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])


@pytest.mark.parametrize(
    ("operations", "rules"),
    [
        pytest.param([TABLE], [], id="a new table"),
        pytest.param(
            [TABLE, migrations.AddIndex("Thing", INDEX)], [], id="an index of its own"
        ),
        pytest.param(
            [migrations.AddField("Thing", "n", models.IntegerField(default=1))],
            ["not-null-without-default"],
            id="a default of Django's is dropped again",
        ),
        pytest.param(
            [migrations.AddField("Thing", "n", models.IntegerField(db_default=1))],
            [],
            id="a default of the database stays",
        ),
        pytest.param(
            [migrations.AddField("Thing", "n", models.IntegerField(null=True))],
            [],
            id="nullable",
        ),
        pytest.param(
            [migrations.AddIndex("Thing", INDEX)],
            ["index-not-concurrent"],
            id="index on a table in use",
        ),
        pytest.param(
            [AddIndexConcurrently("Thing", INDEX)], [], id="index built beside"
        ),
        pytest.param(
            [migrations.RenameField("Thing", "a", "b")], ["rename"], id="rename"
        ),
        pytest.param([migrations.RemoveField("Thing", "a")], ["drop"], id="drop"),
        pytest.param(
            [migrations.AlterField("Thing", "a", models.TextField())],
            ["alter-column"],
            id="alter",
        ),
        pytest.param(
            [migrations.RunPython(all_at_once, NOOP)],
            ["data-in-one-piece"],
            id="rows at once",
        ),
        pytest.param([migrations.RunPython(in_batches, NOOP)], [], id="in batches"),
        pytest.param(
            [migrations.RunPython(in_batches)], ["irreversible"], id="no way back"
        ),
        pytest.param(
            [migrations.RunSQL("SELECT 1")], ["irreversible"], id="SQL, no way back"
        ),
        pytest.param(
            [
                migrations.AddField("Thing", "n", models.IntegerField(null=True)),
                migrations.RunPython(in_batches, NOOP),
            ],
            ["schema-and-data"],
            id="schema and data",
        ),
    ],
)
def test_risks(operations: list[Operation], rules: list[str]) -> None:
    risks = risks_of(migration(*operations), vendor="postgresql")

    assert [risk.rule for risk in risks] == rules
    assert all(risk.remedy for risk in risks)


def test_sqlite_builds_indexes_alone_anyway() -> None:
    index = migration(migrations.AddIndex("Thing", INDEX))

    assert risks_of(index, vendor="sqlite") == ()
    assert locks_of(index, vendor="sqlite") == ("the whole file: writers wait",)


@pytest.mark.parametrize(
    ("operation", "lock"),
    [
        (TABLE, "none"),
        (migrations.AddIndex("Thing", INDEX), "SHARE"),
        (AddIndexConcurrently("Thing", INDEX), "none"),
        (migrations.RemoveField("Thing", "a"), "ACCESS EXCLUSIVE"),
    ],
)
def test_locks_on_postgresql(operation: Operation, lock: str) -> None:
    (found,) = locks_of(migration(operation), vendor="postgresql")

    assert found.startswith(lock)
