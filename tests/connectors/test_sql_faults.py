"""connectors/sql.py: time limits, faults in words, and the portal's own database."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection as portal

from connectors.loop import engine
from connectors.outcomes import (
    Outcome,
    Reason,
)
from connectors.specs import OperationSpec, TableSpec
from connectors.sql import run_query
from connectors.sql_engines import (
    engine_for,
    is_portal_database,
    read_url,
)
from connectors.sql_wall import SourceRefusedError
from tests.connectors.external import (
    ACTOR,
    ENDLESS,
    POSTGRESQL,
    External,
    administrator,
)

pytestmark = pytest.mark.django_db  # a refusal is counted


def test_a_query_that_is_too_slow_ends_at_its_timeout(external: External) -> None:
    started = time.monotonic()

    failure = external.failure(ENDLESS.format("count(*)"), timeout_ms=300)

    assert failure.reason is Reason.TIMEOUT
    assert "in time" in failure.message
    assert 0.25 < time.monotonic() - started < 1.5


def test_the_deadline_of_the_page_wins_over_the_timeout(external: External) -> None:
    failure = external.failure(ENDLESS.format("count(*)"), seconds=0.3)

    assert failure.reason is Reason.TIMEOUT
    assert failure.elapsed_ms < 1_500


def test_a_deadline_in_the_past_starts_nothing(external: External) -> None:
    failure = external.failure("SELECT 1", seconds=-1)

    assert failure.reason is Reason.TIMEOUT
    assert failure.elapsed_ms < 500


def _running(external: External) -> int:
    with administrator() as server:
        row = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND datname = %s",
            (read_url(external.source).database,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        threading.Event().wait(0.02)
    return condition()


@POSTGRESQL
def test_timeouts_leave_no_statement_behind(on_postgresql: External) -> None:
    call = ENDLESS.format("count(*)")
    spec = OperationSpec("o", on_postgresql.source, sql=call, timeout_ms=200)

    async def many() -> list[Outcome]:
        deadline = time.monotonic() + 5
        return await asyncio.gather(
            *(
                run_query(spec, arguments={}, actor=ACTOR, deadline=deadline)
                for _ in range(8)
            )
        )

    outcomes = engine().run(many())

    assert {getattr(outcome, "reason", None) for outcome in outcomes} == {
        Reason.TIMEOUT
    }
    assert _wait_until(lambda: _running(on_postgresql) == 0)


def test_a_reader_who_leaves_ends_the_statement(external: External) -> None:
    spec = OperationSpec(
        "o", external.source, sql=ENDLESS.format("count(*)"), timeout_ms=60_000
    )
    checked_out = engine_for(external.source).pool.checkedout  # type: ignore[attr-defined]
    call = engine().start(
        run_query(spec, arguments={}, actor=ACTOR, deadline=time.monotonic() + 60)
    )
    assert _wait_until(lambda: checked_out() == 1)

    call.cancel()

    assert _wait_until(lambda: checked_out() == 0, seconds=2.0)
    if external.source.dialect == "postgresql":
        assert _wait_until(lambda: _running(external) == 0)
    assert external.table("SELECT 1 AS one").rows == ((1,),)


@pytest.mark.parametrize(
    ("sql", "words", "place"),
    [
        ("SELECT *\nFROM nowhere", "nowhere", "Line 2, column 6"),
        ("SELECT nothing FROM orders", "nothing", "Line 1, column 8"),
        ("SELECT o.nothing FROM orders o", "nothing", "Line 1, column 10"),
    ],
)
def test_a_wrong_name_is_told_with_its_place(
    external: External, sql: str, words: str, place: str
) -> None:
    tables = (*external.source.tables, TableSpec("nowhere"))

    failure = external.failure(sql, source=replace(external.source, tables=tables))

    # MariaDB does not tell a table that is not there from one that is not granted.
    hidden = external.source.dialect == "mariadb" and words == "nowhere"
    assert failure.reason is (Reason.DENIED if hidden else Reason.UPSTREAM)
    assert words in failure.message
    assert place in failure.message


def test_a_syntax_error_is_told_before_the_database_sees_it(
    external: External,
) -> None:
    failure = external.failure("SELECT * FORM orders")

    assert failure.reason is Reason.REFUSED
    assert "cannot be read" in failure.message


@POSTGRESQL
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM secrets", Reason.DENIED),
        ("SELECT 1 / (id - id) FROM orders", Reason.UPSTREAM),
        ("SELECT note::integer FROM orders", Reason.UPSTREAM),
        ("SELECT 'infinity'::date", Reason.UNREADABLE),
    ],
)
def test_errors_never_quote_data(
    on_postgresql: External, sql: str, reason: Reason
) -> None:
    failure = on_postgresql.failure(sql)

    assert failure.reason is reason
    assert "a:b" not in failure.message
    assert "/tmp" not in failure.message


@POSTGRESQL
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("reader", "nobody"), "did not accept the user"),
        (("port=", "port=1"), "No connection"),
        (("/external", "/missing"), "No connection"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_its_address(
    on_postgresql: External, change: tuple[str, str], words: str
) -> None:
    url = on_postgresql.source.base_url.replace(*change)
    source = replace(on_postgresql.source, key="gone", base_url=url)

    failure = on_postgresql.failure("SELECT 1", source=source)

    assert failure.reason is Reason.UPSTREAM
    assert words in failure.message
    assert "host" not in failure.message


@POSTGRESQL
def test_postgresql_types_are_told_by_the_driver(on_postgresql: External) -> None:
    table = on_postgresql.table(
        "SELECT NULL::integer AS i, NULL::numeric AS n, TRUE AS b,"
        " NULL::timestamptz AS t, '{\"a\": 1}'::jsonb AS j, ARRAY[1, 2] AS l,"
        " 'x'::text AS s, interval '90 minutes' AS p WHERE 1 = 1"
    )

    assert [column.type.value for column in table.columns] == [
        "integer", "decimal", "boolean", "datetime", "text", "text", "text", "text",
    ]  # fmt: skip
    assert table.rows[0][4:7] == ('{"a": 1}', "[1, 2]", "x")


def test_a_file_that_is_no_database_is_told(
    on_sqlite: External, tmp_path: Path
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be read as one" * 20)
    source = replace(on_sqlite.source, key="odd", base_url=f"sqlite:///{path}")

    failure = on_sqlite.failure("SELECT 1 FROM orders", source=source)

    assert failure.reason is Reason.UPSTREAM
    assert "SQLite file" in failure.message
    assert str(tmp_path) not in failure.message


def test_a_missing_file_is_told_and_not_made(
    on_sqlite: External, tmp_path: Path
) -> None:
    path = tmp_path / "absent.sqlite3"
    source = replace(on_sqlite.source, key="absent", base_url=f"sqlite:///{path}")

    failure = on_sqlite.failure("SELECT 1", source=source)

    assert failure.reason is Reason.UPSTREAM
    assert "is not there" in failure.message
    assert not path.exists()


def test_a_value_the_database_cannot_work_out_is_told(on_sqlite: External) -> None:
    failure = on_sqlite.failure("SELECT json_extract(note, '$') FROM orders")

    assert failure.reason is Reason.UPSTREAM
    assert "could not work out a value" in failure.message


def test_a_file_that_is_replaced_is_opened_anew(
    on_sqlite: External, tmp_path: Path
) -> None:
    path = tmp_path / "data.sqlite3"
    source = replace(
        on_sqlite.source,
        key="data",
        base_url=f"sqlite:///{path}",
        tables=(TableSpec("t"),),
    )
    for number in (1, 2):
        fresh = tmp_path / f"fresh{number}"
        with sqlite3.connect(fresh) as connection:
            connection.execute("CREATE TABLE t AS SELECT ? AS x", (number,))
        connection.close()
        fresh.rename(path)

        table = on_sqlite.table("SELECT x FROM t", source=source)

        assert table.rows == ((number,),)


def test_engines_are_kept_per_data_source_until_it_changes(
    on_sqlite: External,
) -> None:
    first = engine_for(on_sqlite.source)

    assert engine_for(on_sqlite.source) is first
    changed = replace(on_sqlite.source, connect_timeout_ms=1)
    assert engine_for(changed) is not first


@pytest.mark.parametrize(
    ("url", "dialect", "rule"),
    [
        ("nonsense", "sqlite", "address"),
        ("oracle://x", "sqlite", "dialect"),
        ("sqlite:///x", "postgresql", "dialect"),
        ("oracle://x/y", "oracle", "dialect"),
        ("mariadb://x/y", "mysql", "dialect"),
        ("mysql://x/y?local_infile=1", "mysql", "option"),
        ("mariadb://x/y?ssl_ca=/a&ssl_ca=/b", "mariadb", "option"),
        ("mariadb://x/y?ssl_ca=/not/there", "mariadb", "certificate"),
        ("sqlite:///x?uri=true", "sqlite", "option"),
        ("sqlite://", "sqlite", "missing-file"),
        ("sqlite:///:memory:", "sqlite", "missing-file"),
        ("postgresql://h/x?dbname=y", "postgresql", "option"),
        ("postgresql://h/x?options=-crole%3Da", "postgresql", "option"),
    ],
)
def test_an_address_that_may_not_be_used_is_refused_in_words(
    on_sqlite: External, url: str, dialect: str, rule: str
) -> None:
    source = replace(on_sqlite.source, key="odd", base_url=url, dialect=dialect)

    with pytest.raises(SourceRefusedError) as caught:
        engine_for(source)
    failure = on_sqlite.failure("SELECT 1", source=source)

    assert caught.value.rule == rule
    assert failure.reason in {Reason.REFUSED, Reason.UPSTREAM}
    assert len(failure.message) > 40


def _portal_spellings() -> list[str]:
    settings = portal.settings_dict
    name = settings["NAME"]
    host, port = settings["HOST"], settings["PORT"] or 5432
    return [
        f"postgresql://anybody@/{name}?host={host}&port={port}",
        f"postgresql://localhost:{port}/{name}",
        f"postgresql+psycopg://x:y@127.0.0.1:{port}/{name}",
        f"postgresql://[::1]:{port}/{name}",
        f"postgresql://LOCALHOST:{port}/{name}",
        f"postgresql:///{name}?host=elsewhere,localhost&port={port}",
    ]


@POSTGRESQL
def test_the_portal_s_own_database_is_known_in_every_spelling() -> None:
    for url in _portal_spellings():
        assert is_portal_database(url), url


def test_saved_sql_never_runs_on_the_portal_s_own_database(
    on_sqlite: External, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sqlite_file.with_name("portal.sqlite3")
    file.hardlink_to(sqlite_file)
    if portal.vendor == "sqlite":
        monkeypatch.setitem(portal.settings_dict, "NAME", str(sqlite_file))
        url = f"sqlite:///{file}"
    else:
        url = _portal_spellings()[0]
    source = replace(
        on_sqlite.source, key="portal", base_url=url, dialect=portal.vendor
    )

    failure = on_sqlite.failure("SELECT 1", source=source)
    file.unlink()

    assert failure.reason is Reason.REFUSED
    assert "portal's own database" in failure.message


def test_links_to_the_portal_s_file_are_the_portal_s_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, link, hard = (tmp_path / name for name in ("portal", "link", "hard"))
    file.write_bytes(b"")
    link.symlink_to(file)
    hard.hardlink_to(file)
    monkeypatch.setattr(portal, "vendor", "sqlite")
    monkeypatch.setitem(portal.settings_dict, "NAME", str(file))

    assert is_portal_database(f"sqlite:///{link}")
    assert is_portal_database(f"sqlite:///{hard}")
    assert is_portal_database(f"sqlite:///{tmp_path}/x/../portal")
    assert not is_portal_database(f"sqlite:///{tmp_path}/other")
    assert not is_portal_database("postgresql://localhost/portal")


def test_another_database_of_the_same_server_is_not_the_portal_s(
    external: External,
) -> None:
    assert not is_portal_database(read_url(external.source))
    assert not is_portal_database("postgresql://elsewhere.example/portal")
