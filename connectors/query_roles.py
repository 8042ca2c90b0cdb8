"""What the user of a data source may do beyond reading, and the SQL that ends it.

Pure: from facts to findings. `connectors.query_role_facts` asks the databases.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.specs import TableSpec, TenantValue

# Functions that reach past the wall of a read-only transaction, as LIKE patterns.
RISKY_FUNCTIONS = (
    "set_config",
    "pg\\_notify",
    "pg\\_sleep%",
    "pg\\_%advisory%",
    "lo\\_%",
    "loread",
    "lowrite",
    "ts\\_stat",
    "%\\_to\\_xml%",
    "dblink%",
    "crosstab%",
    "pg\\_cancel\\_backend",
    "pg\\_terminate\\_backend",
    "pg\\_logical\\_emit\\_message",
    "pg\\_export\\_snapshot",
    "pg\\_stat\\_get\\_activity",
    "pg\\_stat\\_get\\_backend\\_activity",
    "pg\\_read\\_%file%",
    "pg\\_ls\\_%",
    "pg\\_file\\_%",
)
STRONG_ROLES = (
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
    "pg_write_all_data",
    "pg_read_all_data",
    "pg_signal_backend",
    "pg_database_owner",
    "pg_maintain",
    "pg_monitor",
    "pg_read_all_stats",
)
NO_ATTRIBUTES = "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION"
POLICY = "signalbox_tenant"


@dataclass(frozen=True, slots=True)
class RoleFinding:
    """One thing a database user may do, or one wall that is missing.

    Attributes:
        rule: Rule id of ``connectors.query_role_messages``.
        found: Names of tables, functions or roles it is about.
        too_strong: False for a remark, which refuses nothing.
        remedy: SQL statements that mend it, to be run by an administrator of that
            database; empty where there is no such statement.
    """

    rule: str
    found: tuple[str, ...] = ()
    too_strong: bool = True
    remedy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of row security that lets a user see the rows of a condition."""

    table: str
    name: str
    condition: str


@dataclass(frozen=True, slots=True)
class PostgreSQLFacts:
    """What a server says of the user of a data source.

    Table names are quoted as PostgreSQL quotes them, with a schema where one is needed;
    functions carry the types of their arguments.

    Attributes:
        attributes: Those of ``SUPERUSER``, ``BYPASSRLS``, ``CREATEROLE``, ``CREATEDB``
            and ``REPLICATION`` that it has.
        roles: Strong roles it is a member of.
        owned: Registered tables it owns, or is a member of the owner of.
        writable: Tables and sequences with the rights to change them.
        functions: Those of RISKY_FUNCTIONS it may call.
        schemas: Schemas it may create in.
        makes_temporary: It may make temporary tables.
        unregistered: Tables it may read and which the data source does not register.
        missing: Registered tables that are not there, or that it may not read.
        secured: Tables with row security that binds their owner, too.
        policies: Policies that let it see rows.
        names: What the server calls each registered table.
        temporary_limited: Its temporary files have a limit.
    """

    role: str
    database: str = ""
    attributes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    writable: tuple[tuple[str, tuple[str, ...]], ...] = ()
    functions: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    makes_temporary: bool = False
    unregistered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    secured: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()
    names: tuple[tuple[TableSpec, str], ...] = ()
    temporary_limited: bool = True


def postgresql_findings(facts: PostgreSQLFacts) -> tuple[RoleFinding, ...]:
    """Say what makes a user too strong, the gravest first, and what mends it."""
    found = [*_attributes(facts), *_rights(facts), *_row_security(facts)]
    return (*found, *_remarks(facts))


def _attributes(facts: PostgreSQLFacts) -> list[RoleFinding]:
    role = quoted(facts.role)
    found = [
        RoleFinding(
            attribute.lower(),
            (facts.role,),
            remedy=(f"ALTER ROLE {role} NO{attribute};",),
        )
        for attribute in facts.attributes
    ]
    if facts.roles:
        remedy = tuple(f"REVOKE {quoted(name)} FROM {role};" for name in facts.roles)
        found.append(RoleFinding("strong-role", facts.roles, remedy=remedy))
    if facts.owned:
        remedy = tuple(
            f"ALTER TABLE {table} OWNER TO CURRENT_USER;" for table in facts.owned
        )
        found.append(RoleFinding("owner", facts.owned, remedy=remedy))
    return found


def _rights(facts: PostgreSQLFacts) -> list[RoleFinding]:
    role = quoted(facts.role)
    found = []
    if facts.writable:
        names = tuple(table for table, _rights in facts.writable)
        remedy = tuple(
            f"REVOKE {', '.join(rights)} ON {table} FROM {role}, PUBLIC;"
            for table, rights in facts.writable
        )
        found.append(RoleFinding("writes", names, remedy=remedy))
    if facts.functions:
        remedy = tuple(
            f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC, {role};"
            for function in facts.functions
        )
        found.append(RoleFinding("functions", facts.functions, remedy=remedy))
    if facts.schemas:
        remedy = tuple(
            f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role};"
            for schema in facts.schemas
        )
        found.append(RoleFinding("creates", facts.schemas, remedy=remedy))
    return found


def _row_security(facts: PostgreSQLFacts) -> list[RoleFinding]:
    found = []
    remedy: tuple[str, ...]
    for table, name in facts.names:
        if not table.tenant_column:
            continue
        if name not in facts.secured:
            remedy = (*_secured(name), _policy(table, name, facts.role))
            found.append(RoleFinding("row-security", (name,), remedy=remedy))
            continue
        policies = [policy for policy in facts.policies if policy.table == name]
        if not policies:
            remedy = (_policy(table, name, facts.role),)
            found.append(RoleFinding("no-policy", (name,), False, remedy))
        wide = [each for each in policies if not _names_tenant(each.condition)]
        if wide:
            remedy = tuple(f"DROP POLICY {each.name} ON {name};" for each in wide)
            found.append(RoleFinding("wide-policy", (name,), remedy=remedy))
    return found


def _names_tenant(condition: str) -> bool:
    return any(
        f"current_setting('{name}'" in condition
        for name in ("signalbox.tenant", "app.tenant_id")
    )


def _remarks(facts: PostgreSQLFacts) -> list[RoleFinding]:
    role = quoted(facts.role)
    found = []
    if facts.makes_temporary:
        found.append(RoleFinding("temporary", (), False, (_no_temporary(facts),)))
    if facts.unregistered:
        remedy = tuple(
            f"REVOKE {right} ON {table} FROM PUBLIC, {role};"
            for right, table in (("SELECT", name) for name in facts.unregistered)
        )
        rule = "unregistered" if facts.names or facts.missing else "nothing-registered"
        if rule == "nothing-registered":
            remedy = ()
        found.append(RoleFinding(rule, facts.unregistered, False, remedy))
    if facts.missing:
        remedy = tuple(f"GRANT SELECT ON {table} TO {role};" for table in facts.missing)
        found.append(RoleFinding("missing", facts.missing, False, remedy))
    if not facts.temporary_limited:
        made = f"ALTER ROLE {role} SET temp_file_limit = '1GB';"
        found.append(RoleFinding("temporary-files", (), False, (made,)))
    return found


def set_up_sql(facts: PostgreSQLFacts) -> tuple[str, ...]:
    """Return the SQL of a user who may read the registered tables and nothing else.

    To be run by an administrator of that database. It gives a password to nobody.
    """
    role = quoted(facts.role)
    lines = [
        f"ALTER ROLE {role} {NO_ATTRIBUTES};",
        f"ALTER ROLE {role} SET default_transaction_read_only = on;",
        f"ALTER ROLE {role} SET temp_file_limit = '1GB';",
        _no_temporary(facts),
    ]
    for table, name in facts.names:
        lines.append(f"GRANT SELECT ON {name} TO {role};")
        if table.tenant_column:
            lines.extend(_secured(name))
            lines.append(_policy(table, name, facts.role))
    lines.extend(
        f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC, {role};"
        for function in facts.functions
    )
    return tuple(lines)


def _no_temporary(facts: PostgreSQLFacts) -> str:
    database, role = quoted(facts.database), quoted(facts.role)
    return f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {role};"


def _secured(name: str) -> tuple[str, str]:
    return (
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY;",
    )


def _policy(table: TableSpec, name: str, role: str) -> str:
    column = quoted(table.tenant_column)
    if table.tenant_value is TenantValue.ID:
        tenant = "nullif(current_setting('app.tenant_id', true), '')::bigint"
    else:
        tenant = "current_setting('signalbox.tenant', true)"
    return (
        f"CREATE POLICY {POLICY} ON {name} FOR SELECT TO {quoted(role)}"
        f" USING ({column} = {tenant});"
    )


def quoted(name: str) -> str:
    """Return a name of PostgreSQL in double quotes."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class SQLiteFacts:
    """What there is to say of a SQLite file.

    Attributes:
        writable: The portal's own process may write to the file or beside it.
        missing: Registered tables that are not in it.
        unregistered: Tables that are in it and not registered, when some are.
        registers: The data source registers tables.
    """

    writable: bool
    missing: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()
    registers: bool = True


def sqlite_findings(facts: SQLiteFacts) -> tuple[RoleFinding, ...]:
    """Say what to know of a SQLite file; its wall needs no role."""
    found = []
    if facts.writable:
        found.append(RoleFinding("writable-file", (), False))
    if facts.missing:
        found.append(RoleFinding("missing", facts.missing, False))
    if not facts.registers:
        found.append(RoleFinding("nothing-registered", facts.unregistered, False))
    return tuple(found)
