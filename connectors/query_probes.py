"""Statements that would do harm if nothing stopped them, made so that they cannot.

Pure. One or more for each of the classes of attack in ``docs/query-safety-roles.md``.
Each changes nothing even where every wall is gone: it names what is not there, asks
``WHERE false``, or is undone with its transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.specs import SourceSpec, TableSpec, TenantValue

ATTACKS = range(1, 19)
ABSENT = "signalbox_probe_absent"


class Kind(StrEnum):
    """How a probe is tried.

    STATEMENT goes to the judge, and past it straight to the wall. ROWS counts rows of
    other tenants. REWRITTEN asks what the judge would send. BOUND sends code as a
    value. AT_RUN goes through the whole way of a saved query. CACHE compares names of
    kept answers.
    """

    STATEMENT = "statement"
    ROWS = "rows"
    REWRITTEN = "rewritten"
    BOUND = "bound"
    AT_RUN = "at-run"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class Probe:
    """One try of one class of attack."""

    attack: int
    sql: str
    kind: Kind = Kind.STATEMENT


_ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    " SELECT count(*) FROM n"
)
_COMMON = (
    (1, "SELECT 1; SELECT 2"),
    (1, "/* x */ COMMIT; SELECT 1"),
    (3, "SELECT 1 /*! ; SELECT 2 */ ; SELECT 3"),
    (8, f"SELECT {ABSENT}()"),
    (9, "BEGIN"),
    (9, "ROLLBACK"),
    (15, "VACUUM"),
    (15, "ANALYZE"),
)
_POSTGRESQL = (
    (2, "SELECT 'a\\'; SELECT 2 --'"),
    (1, "COMMIT; SELECT 1"),
    (2, "SELECT U&'\\0061'; SELECT 2"),
    (5, "SELECT * INTO TEMPORARY signalbox_probe FROM (SELECT 1 AS a) x"),
    (5, "EXPLAIN ANALYZE SELECT 1"),
    (6, "SELECT set_config('signalbox.probe', '1', true)"),
    (6, "SELECT pg_sleep(0)"),
    (6, "SELECT 1 ORDER BY pg_catalog.pg_sleep (0)"),
    (6, "SELECT pg_try_advisory_xact_lock(0)"),
    (6, "SELECT pg_notify('signalbox_probe', '')"),
    (6, "SELECT lo_get(0)"),
    (6, "SELECT pg_read_file('PG_VERSION', 0, 0)"),
    (7, "SELECT query_to_xml('SELECT 1', true, false, '')"),
    (7, "SELECT * FROM ts_stat('SELECT ''''::tsvector')"),
    (9, "SET LOCAL statement_timeout = 0"),
    (9, "SET ROLE NONE"),
    (9, "RESET statement_timeout"),
    (9, "PREPARE signalbox_probe AS SELECT 1"),
    (9, "DECLARE signalbox_probe CURSOR WITH HOLD FOR SELECT 1"),
    (9, "LISTEN signalbox_probe"),
    (11, "COPY (SELECT 1 WHERE false) TO STDOUT"),
    (12, "SELECT rolpassword FROM pg_catalog.pg_authid LIMIT 0"),
    (12, "SELECT query FROM pg_catalog.pg_stat_activity LIMIT 0"),
    (12, "SELECT most_common_vals FROM pg_catalog.pg_stats LIMIT 0"),
    (15, "DO $$ BEGIN END $$"),
    (16, "SELECT count(*) FROM information_schema.columns"),
    (15, "CALL signalbox_probe_absent()"),
    (18, _ENDLESS),
)
_SQLITE = (
    (2, "SELECT 'a\\'; SELECT 2 --'"),
    (5, "CREATE TEMP TABLE signalbox_probe AS SELECT 1"),
    (5, "EXPLAIN QUERY PLAN SELECT 1"),
    (6, "SELECT load_extension('signalbox_probe_absent')"),
    (6, f"SELECT writefile('{ABSENT}', '')"),
    (9, "PRAGMA query_only = 0"),
    (9, "SELECT * FROM pragma_database_list"),
    (11, "ATTACH ':memory:' AS signalbox_probe"),
    (11, f"VACUUM {ABSENT} INTO 'file:/nonexistent/folder'"),
    (12, "SELECT count(*) FROM sqlite_master"),
    (12, "SELECT count(*) FROM temp.sqlite_master"),
    (16, "SELECT count(*) FROM sqlite_schema"),
    (18, "SELECT length(zeroblob(300000000))"),
    (18, _ENDLESS),
)
_MYSQL = (
    (2, "SELECT 'a\\\\'; SELECT 2 -- '"),
    (2, "SELECT 1 # ; SELECT 2\n; SELECT 3"),
    (3, "SELECT 1 /*!50000 ; SELECT 2 */"),
    (5, "SELECT 1 INTO @signalbox_probe"),
    (
        5,
        "SELECT 1 FROM (SELECT 1 AS a) x WHERE false INTO OUTFILE '/nonexistent/probe'",
    ),
    (5, "CREATE TEMPORARY TABLE signalbox_probe (a INT)"),
    (6, "SELECT SLEEP(0)"),
    (6, "SELECT LOAD_FILE('/nonexistent/probe')"),
    (6, "SELECT BENCHMARK(1, 1)"),
    (7, "PREPARE signalbox_probe FROM 'SELECT 1'"),
    (9, "SET SESSION TRANSACTION READ WRITE"),
    (9, "SET @@session.sql_mode = 'ANSI_QUOTES'"),
    (9, "SELECT @signalbox_probe := 1"),
    (9, "SELECT @@global.read_only"),
    (10, "SELECT IS_FREE_LOCK('signalbox_probe')"),
    (10, "SELECT RELEASE_LOCK('signalbox_probe')"),
    (
        11,
        "LOAD DATA LOCAL INFILE '/nonexistent/probe' INTO TABLE signalbox_probe_absent",
    ),
    (12, "SELECT count(*) FROM mysql.user"),
    (12, "SELECT info FROM information_schema.processlist LIMIT 0"),
    (15, "HANDLER signalbox_probe_absent OPEN"),
    (15, "CALL signalbox_probe_absent()"),
    (15, "DO 1"),
    (16, "SELECT count(*) FROM information_schema.columns"),
    (18, _ENDLESS),
)
_MARIADB = (
    (3, "SELECT 1 /*M! ; SELECT 2 */"),
    (7, "EXECUTE IMMEDIATE 'SELECT 1'"),
    (9, "SET STATEMENT max_statement_time = 0 FOR SELECT 1"),
    (15, "BEGIN NOT ATOMIC SELECT 1; END"),
)
_BY_DIALECT = {
    "postgresql": _POSTGRESQL,
    "sqlite": _SQLITE,
    "mysql": _MYSQL,
    "mariadb": _MYSQL + _MARIADB,
}
_MYSQL_LOCKS = (
    (10, "SELECT 1 FROM {table} WHERE false FOR UPDATE"),
    (10, "SELECT 1 FROM {table} WHERE false LOCK IN SHARE MODE"),
)
_LOCKS = {
    "postgresql": (
        (10, "SELECT 1 FROM {table} WHERE false FOR UPDATE"),
        (10, "LOCK TABLE {table} IN ACCESS SHARE MODE"),
    ),
    "sqlite": ((10, "BEGIN IMMEDIATE"),),
    "mysql": _MYSQL_LOCKS,
    "mariadb": _MYSQL_LOCKS,
}
_WRITES = (
    (5, "DELETE FROM {table} WHERE false"),
    (5, "WITH d AS (DELETE FROM {table} WHERE false RETURNING 1) SELECT * FROM d"),
)


def probes(source: SourceSpec) -> tuple[Probe, ...]:
    """Return every probe that fits a data source, by class of attack."""
    table = _name(source.tables[0], source.dialect) if source.tables else ABSENT
    named = (*_WRITES, *_LOCKS.get(source.dialect, ()))
    found = [
        *(Probe(attack, sql) for attack, sql in _COMMON),
        *(Probe(attack, sql) for attack, sql in _BY_DIALECT.get(source.dialect, ())),
        *(Probe(attack, sql.format(table=table)) for attack, sql in named),
        Probe(4, "SELECT 1 -- x */ ; SELECT 2\n", Kind.REWRITTEN),
        Probe(13, "'; COMMIT; SELECT 1 --", Kind.BOUND),
        Probe(14, _WRITES[0][1].format(table=table), Kind.AT_RUN),
        Probe(17, "SELECT 1", Kind.CACHE),
        *(_others(each, source) for each in source.tables if each.tenant_column),
    ]
    return tuple(sorted(found, key=lambda probe: probe.attack))


def _others(table: TableSpec, source: SourceSpec) -> Probe:
    """Count the rows that belong to another tenant."""
    column = _quoted(table.tenant_column, source.dialect)
    if table.tenant_value is TenantValue.ID:
        tenant = str(source.tenant_id)
    else:
        tenant = "'" + source.tenant_key.replace("'", "''") + "'"
    name = _name(table, source.dialect)
    sql = f"SELECT count(*) AS others FROM {name} WHERE {column} <> {tenant}"  # noqa: S608
    return Probe(16, sql, Kind.ROWS)


def _name(table: TableSpec, dialect: str) -> str:
    name = _quoted(table.name, dialect)
    if not table.schema or dialect == "sqlite":
        return name
    return f"{_quoted(table.schema, dialect)}.{name}"


def _quoted(name: str, dialect: str) -> str:
    mark = "`" if dialect in {"mysql", "mariadb"} else '"'
    return mark + name.replace(mark, mark * 2) + mark
