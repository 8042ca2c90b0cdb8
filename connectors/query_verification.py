"""Tries every class of attack on a live data source, and keeps the result, signed.

The judge is left out here, and only here, to see what the database holds by itself.
Nothing is changed: see `connectors.query_probes`; every transaction is undone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pymysql
import sqlalchemy
from sqlalchemy.exc import DBAPIError

from connectors import last_good_store
from connectors.loop import engine
from connectors.models import DataSource, QuerySafetyCheck
from connectors.outcomes import Failure, Reason, Success, Table
from connectors.query_probes import Kind, Probe, probes
from connectors.query_role_facts import READ_ERRORS
from connectors.query_safety import Refused, judge
from connectors.specs import OperationSpec, SourceSpec
from connectors.sql import run_query
from connectors.sql_engines import WALLS, engine_for
from connectors.sql_wall import Terms
from tenants import audit
from tenants.scope import Actor, using_tenant

_SECONDS = 0.5  # for one probe at the wall
_UNSTOPPED = frozenset({"ran", "absent", "error"})

_STATES = {
    "42601": "cursor",
    "42P11": "cursor",
    "0A000": "cursor",
    "42501": "rights",
    "25006": "transaction",
    "57014": "time",
    "42883": "absent",
    "42P01": "absent",
}
_NUMBERS = {
    1064: "cursor",
    1044: "rights",
    1142: "rights",
    1143: "rights",
    1227: "rights",
    1370: "rights",
    4166: "rights",
    1792: "transaction",
    1969: "time",
    3024: "time",
    1128: "absent",
    1146: "absent",
    1305: "absent",
}
_CODES = {
    sqlite3.SQLITE_AUTH: "authorizer",
    sqlite3.SQLITE_READONLY: "transaction",
    sqlite3.SQLITE_INTERRUPT: "time",
    sqlite3.SQLITE_TOOBIG: "size",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one probe.

    Attributes:
        judge: Rule that refused it; empty when it was let through.
        wall: What stopped it without the judge: ``cursor``, ``rights``,
            ``transaction``, ``authorizer``, ``time``, ``size``, ``rows``; or
            ``absent``, ``error`` and ``ran``, which stop nothing; empty where the
            probe is not about the wall.
        held: At least one of them stopped it.
    """

    probe: Probe
    judge: str = ""
    wall: str = ""
    held: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "attack": self.probe.attack,
            "sql": self.probe.sql,
            "judge": self.judge,
            "wall": self.wall,
            "held": self.held,
        }


def verify(row: DataSource) -> QuerySafetyCheck:
    """Try every probe on a SQL data source, store what came of it, and sign it.

    Raises:
        SourceRefusedError: its address may not be used.
        Exception: one of READ_ERRORS; the database did not answer.
    """
    with using_tenant(row.tenant_id):
        source = row.spec()
        with engine_for(source).connect() as connection:
            version = ".".join(map(str, connection.dialect.server_version_info or ()))
        tried = [try_probe(probe, source) for probe in probes(source)]
        check = QuerySafetyCheck(
            source=row,
            database=f"{source.dialect} {version}".strip(),
            held=all(each.held for each in tried),
            results=[each.as_json() for each in tried],
        )
        check.sign()
        check.save()
        audit.record(
            actor=None,
            action="data-source.query-safety-verified",
            target=row,
            changes={"held": check.held, "probes": len(tried)},
        )
    return check


def try_probe(probe: Probe, source: SourceSpec) -> Tried:
    """Try one probe, and say what stopped it."""
    return _WAYS[probe.kind](probe, source)


def _statement(probe: Probe, source: SourceSpec) -> Tried:
    verdict = judge(probe.sql, dialect=source.dialect)
    rule = verdict.rule if isinstance(verdict, Refused) else ""
    wall, _ = at_the_wall(source, probe.sql)
    if not rule and wall in _UNSTOPPED:
        # What the judge lets through is stopped by the scope, which the whole way has.
        rule = "" if _whole_way(probe, source) is None else "scope"
    return Tried(probe, rule, wall, held=bool(rule) or wall not in _UNSTOPPED)


def _rows(probe: Probe, source: SourceSpec) -> Tried:
    """Rows of other tenants: none at the wall, none on the whole way."""
    wall, count = at_the_wall(source, probe.sql)
    if wall == "ran" and count == 0:
        wall = "rows"
    seen = _whole_way(probe, source)
    rule = "scope" if seen == 0 else ""
    return Tried(probe, rule, wall, held=seen == 0 or wall == "rows")


def _rewritten(probe: Probe, source: SourceSpec) -> Tried:
    verdict = judge(probe.sql, dialect=source.dialect)
    if isinstance(verdict, Refused):
        return Tried(probe, verdict.rule, held=True)
    clean = "--" not in verdict.sql and ";" not in verdict.sql
    return Tried(probe, "rewritten" if clean else "", held=clean)


def _bound(probe: Probe, source: SourceSpec) -> Tried:
    text = sqlalchemy.text("SELECT :probe AS probe").bindparams(probe=probe.sql)
    wall, value = at_the_wall(source, text)
    same = wall == "ran" and value == probe.sql
    return Tried(probe, wall="bound" if same else wall, held=same)


def _at_run(probe: Probe, source: SourceSpec) -> Tried:
    refused = _whole_way(probe, source) == -1
    return Tried(probe, "at-run" if refused else "", held=refused)


def _cache(probe: Probe, source: SourceSpec) -> Tried:
    spec = OperationSpec("probe", source, sql=probe.sql)
    names = {
        last_good_store.name_of(spec, {}, Actor(user_id=0, tenant_id=tenant))
        for tenant in (source.tenant_id, source.tenant_id + 1)
    }
    return Tried(probe, "cache-name" if len(names) == 2 else "", held=len(names) == 2)


_WAYS: dict[Kind, Callable[[Probe, SourceSpec], Tried]] = {
    Kind.STATEMENT: _statement,
    Kind.ROWS: _rows,
    Kind.REWRITTEN: _rewritten,
    Kind.BOUND: _bound,
    Kind.AT_RUN: _at_run,
    Kind.CACHE: _cache,
}


def _whole_way(probe: Probe, source: SourceSpec) -> int | None:
    """Run a probe as a saved query: -1 when refused, a count, or None for all else."""
    spec = OperationSpec("probe", replace(source), sql=probe.sql)
    actor = Actor(user_id=0, tenant_id=source.tenant_id)
    until = time.monotonic() + 10
    outcome = engine().run(run_query(spec, arguments={}, actor=actor, deadline=until))
    if isinstance(outcome, Failure):
        return -1 if outcome.reason in {Reason.REFUSED, Reason.DENIED} else None
    assert isinstance(outcome, Success)  # noqa: S101 - there is no third
    if not isinstance(outcome.data, Table) or not outcome.data.rows:
        return None
    cell = outcome.data.rows[0][0]
    return cell if isinstance(cell, int) else None


def at_the_wall(
    source: SourceSpec, statement: str | sqlalchemy.TextClause
) -> tuple[str, object]:
    """Send a statement to the database past the judge; say what stopped it.

    Returns the name of the wall, or ``ran`` with the first value that came back.

    Raises:
        SourceRefusedError: the address of the data source may not be used.
    """
    wall = WALLS[source.dialect]
    until = time.monotonic() + _SECONDS
    terms = Terms(
        until, lambda: time.monotonic() >= until, source.tenant_key, source.tenant_id
    )
    with engine_for(source).connect() as connection:
        driver: Any = connection.connection.driver_connection
        streamed = connection.execution_options(yield_per=1)
        try:
            wall.begin(driver, terms)
            if isinstance(statement, str):
                answer = streamed.exec_driver_sql(statement)
            else:
                answer = streamed.execute(statement)
            with answer as result:
                row = result.fetchone() if result.returns_rows else None
        except READ_ERRORS as error:
            return stopped_by(error), None
        finally:
            try:
                wall.end(driver)
            except wall.errors:
                connection.invalidate()
    return "ran", row[0] if row else None


def stopped_by(error: Exception) -> str:
    """Return the name of the wall that an error of a database comes from."""
    original = error.orig if isinstance(error, DBAPIError) else error
    match original:
        case psycopg.Error():
            return _STATES.get(original.sqlstate or "", "error")
        case sqlite3.Error():
            return _sqlite_wall(original)
        case pymysql.MySQLError():
            return _NUMBERS.get(original.args[0], "error")
    return "error"


def _sqlite_wall(error: sqlite3.Error) -> str:
    text = str(error)
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int) and code & 0xFF in _CODES:
        return _CODES[code & 0xFF]
    if "one statement at a time" in text:
        return "cursor"
    if "not authorized" in text or "prohibited" in text:
        return "authorizer"
    if "too big" in text:
        return "size"
    if "no such" in text or "unknown database" in text:
        return "absent"
    return "error"
