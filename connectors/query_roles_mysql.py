"""What the user of a MySQL or MariaDB data source may do, read from its grants.

Pure. A grant that cannot be read counts as one that is too strong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.query_roles import RoleFinding

_QUOTED = r"`(?:[^`]|``)*`"
_WHO = rf"(?:{_QUOTED}|'[^']*')(?:@(?:{_QUOTED}|'[^']*'))?|PUBLIC"
_ON = re.compile(
    rf"GRANT (?P<rights>.+?) ON (?P<kind>PROCEDURE |FUNCTION |PACKAGE BODY |PACKAGE )?"
    rf"(?P<object>(?:\*|{_QUOTED})\.(?:\*|{_QUOTED})) TO (?P<who>{_WHO})(?P<rest>.*)",
    re.DOTALL,
)
_ROLE = re.compile(
    rf"GRANT (?P<roles>(?:{_WHO})(?:, ?(?:{_WHO}))*) TO (?P<who>{_WHO})(?P<rest>.*)"
)
_PROXY = re.compile(rf"GRANT PROXY ON \S+ TO (?P<who>{_WHO})(?P<rest>.*)")
_RIGHT = re.compile(r"(?P<name>[A-Z][A-Z_]*(?: [A-Z_]+)*)(?P<columns> ?\([^)]*\))?")
_DEFAULT_ROLE = re.compile(r"SET DEFAULT ROLE ")
# Of a table: reading it, or the text of a view. USAGE is "may log in".
_HARMLESS = frozenset({"SELECT", "SHOW VIEW", "USAGE"})
_SYSTEM = re.compile(r"`(?:mysql|sys|performance_schema)`\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights of one line of SHOW GRANTS.

    Attributes:
        rights: Such as ``SELECT`` or ``UPDATE (`amount`)``; ``ROLE``, ``PROXY`` or
            ``UNREADABLE`` for what is no right on an object.
        on: The object, such as ``*.*`` or ``FUNCTION `shop`.`f```; a role's name.
        to: Who has it, as the server writes it.
        passes_on: With the right to give it to others.
    """

    rights: tuple[str, ...]
    on: str
    to: str
    passes_on: bool = False


@dataclass(frozen=True, slots=True)
class MySQLFacts:
    """What a server says of the user of a data source.

    Attributes:
        user: As the server writes it: ```reader`@`%```.
        registered: Registered tables that are there and can be read, quoted.
        missing: Registered tables that are not there, or may not be read.
        unregistered: Tables that can be read and are not registered.
        registers: The data source registers tables.
    """

    user: str
    grants: tuple[Grant, ...] = ()
    registered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()
    registers: bool = True


def read_grants(lines: Iterable[str]) -> tuple[Grant, ...]:
    """Read the lines of SHOW GRANTS; no password hash of theirs is kept."""
    return tuple(_grant(line) for line in lines if not _DEFAULT_ROLE.match(line))


def _grant(line: str) -> Grant:
    if found := _PROXY.fullmatch(line):
        return Grant(("PROXY",), "PROXY", found["who"], _passes_on(found["rest"]))
    if found := _ON.fullmatch(line):
        rights = [right.group().strip() for right in _RIGHT.finditer(found["rights"])]
        on = (found["kind"] or "") + found["object"]
        return Grant(tuple(rights), on, found["who"], _passes_on(found["rest"]))
    if found := _ROLE.fullmatch(line):
        return Grant(("ROLE",), found["roles"], found["who"], _passes_on(found["rest"]))
    return Grant(("UNREADABLE",), " ".join(line.split()[:3]), "")


def _passes_on(rest: str) -> bool:
    return "WITH GRANT OPTION" in rest or "WITH ADMIN OPTION" in rest


def mysql_findings(facts: MySQLFacts) -> tuple[RoleFinding, ...]:
    """Say what makes a user too strong, the gravest first, and what mends it."""
    strong: dict[str, list[tuple[str, str]]] = {
        "server-rights": [],
        "system-tables": [],
        "writes": [],
        "executes": [],
        "passes-on": [],
        "roles": [],
        "unreadable-grant": [],
    }
    for grant in facts.grants:
        for rule, found, remedy in _faults(grant):
            strong[rule].append((found, remedy))
    findings = [
        RoleFinding(
            rule,
            tuple(found for found, _ in entries),
            remedy=tuple(remedy for _, remedy in entries if remedy),
        )
        for rule, entries in strong.items()
        if entries
    ]
    return (*findings, *_remarks(facts))


def _faults(grant: Grant) -> list[tuple[str, str, str]]:
    """Return rule, what was found, and its remedy for each fault of a grant."""
    faults = []
    match grant.rights:
        case ("ROLE",):
            remedy = f"REVOKE {grant.on} FROM {grant.to};"
            return [("roles", grant.on, remedy)]
        case ("PROXY",):
            return [("server-rights", "PROXY", "")]
        case ("UNREADABLE",):
            return [("unreadable-grant", grant.on, "")]
    for right in grant.rights:
        if rule := _rule(right, grant.on):
            remedy = f"REVOKE {right} ON {grant.on} FROM {grant.to};"
            faults.append((rule, f"{right} ON {grant.on}", remedy))
    if grant.passes_on:
        remedy = f"REVOKE GRANT OPTION ON {grant.on} FROM {grant.to};"
        faults.append(("passes-on", grant.on, remedy))
    return faults


def _rule(right: str, on: str) -> str:
    name = right.partition(" (")[0]
    if name == "USAGE":
        return ""
    if on == "*.*":
        return "server-rights"
    if _SYSTEM.match(on):
        return "system-tables"
    if name == "EXECUTE" or on.startswith(("PROCEDURE", "FUNCTION", "PACKAGE")):
        return "executes"
    return "" if name in _HARMLESS else "writes"


def _remarks(facts: MySQLFacts) -> list[RoleFinding]:
    found = []
    if facts.missing:
        remedy = tuple(
            f"GRANT SELECT ON {table} TO {facts.user};" for table in facts.missing
        )
        found.append(RoleFinding("missing", facts.missing, False, remedy))
    if facts.unregistered and facts.registers:
        found.append(RoleFinding("unregistered", facts.unregistered, False))
    if not facts.registers:
        found.append(RoleFinding("nothing-registered", facts.unregistered, False))
    return found


def mysql_set_up(facts: MySQLFacts) -> tuple[str, ...]:
    """Return the SQL of a user who may read the registered tables and nothing else.

    To be run by an administrator of that server. It gives a password to nobody.
    """
    roles = [grant for grant in facts.grants if grant.rights == ("ROLE",)]
    return (
        *(f"REVOKE {grant.on} FROM {grant.to};" for grant in roles),
        f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {facts.user};",
        *(
            f"GRANT SELECT ON {table} TO {facts.user};"
            for table in (*facts.registered, *facts.missing)
        ),
    )


def backquoted(name: str) -> str:
    """Return a name of MySQL in backquotes."""
    return "`" + name.replace("`", "``") + "`"
