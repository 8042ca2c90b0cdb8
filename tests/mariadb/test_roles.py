"""connectors/query_roles_mysql.py against a real server's grants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.query_role_facts import findings_of, set_up_of
from connectors.query_roles import RoleFinding
from connectors.specs import TableSpec
from tests.connectors.sql_corpus import SCHEMA
from tests.mariadb.shop import Shop, administrator, shop

pytestmark = pytest.mark.mariadb

TABLES = (TableSpec("orders", tenant_column="status"), TableSpec("sites"))


@pytest.fixture(scope="module")
def made() -> Iterator[Shop]:
    with shop(SCHEMA, readable=("orders", "sites")) as made:
        made.administer(
            "CREATE TABLE secrets (word TEXT)",
            "CREATE PROCEDURE wipe() DELETE FROM orders",
            "CREATE ROLE IF NOT EXISTS signalbox_writer",
        )
        yield replace(made, source=replace(made.source, tables=TABLES))
        made.administer("DROP ROLE signalbox_writer")


def _rules(findings: tuple[RoleFinding, ...], *, strong: bool = True) -> set[str]:
    return {finding.rule for finding in findings if finding.too_strong is strong}


def test_a_user_who_reads_the_registered_tables_is_not_too_strong(made: Shop) -> None:
    findings = findings_of(made.source)

    assert findings == ()


def test_remarks_tell_what_is_missing_and_what_more_is_seen(made: Shop) -> None:
    source = replace(made.source, tables=(TableSpec("orders"), TableSpec("gone")))

    findings = findings_of(source)

    assert _rules(findings) == set()
    assert _rules(findings, strong=False) == {"missing", "unregistered"}
    nothing = findings_of(replace(made.source, tables=()))
    assert _rules(nothing, strong=False) == {"nothing-registered"}


@pytest.mark.parametrize(
    ("grant", "rule"),
    [
        ("FILE ON *.*", "server-rights"),
        ("SUPER ON *.*", "server-rights"),
        ("PROCESS ON *.*", "server-rights"),
        ("SELECT ON *.*", "server-rights"),
        ("ALL PRIVILEGES ON *.*", "server-rights"),
        ("SELECT ON mysql.*", "system-tables"),
        ("INSERT ON `{name}`.orders", "writes"),
        ("UPDATE (amount, note) ON `{name}`.orders", "writes"),
        ("CREATE TEMPORARY TABLES ON `{name}`.*", "writes"),
        ("LOCK TABLES ON `{name}`.*", "writes"),
        ("ALL PRIVILEGES ON `{name}`.*", "writes"),
        ("EXECUTE ON `{name}`.*", "executes"),
        ("EXECUTE ON PROCEDURE `{name}`.wipe", "executes"),
        ("signalbox_writer", "roles"),
    ],
)
def test_each_right_beyond_reading_is_found_and_ends_with_its_remedy(
    made: Shop, grant: str, rule: str
) -> None:
    grant = grant.format(name=made.name)
    with administrator() as server, server.cursor() as cursor:
        cursor.execute(f"GRANT {grant} TO '{made.reader}'@'%'")

    found = {finding.rule: finding for finding in findings_of(made.source)}

    with administrator() as server, server.cursor() as cursor:
        for line in found[rule].remedy:
            cursor.execute(line.rstrip(";"))
    assert found[rule].too_strong
    assert _rules(findings_of(made.source)) == set()


def test_the_right_to_pass_rights_on_is_found(made: Shop) -> None:
    made.administer(f"GRANT SELECT ON sites TO '{made.reader}'@'%' WITH GRANT OPTION")

    [finding] = findings_of(made.source)
    made.administer(*(line.rstrip(";") for line in finding.remedy))

    assert (finding.rule, finding.too_strong) == ("passes-on", True)
    assert findings_of(made.source) == ()


def test_the_sql_it_prints_makes_a_strong_user_safe(made: Shop) -> None:
    made.administer(
        f"GRANT ALL PRIVILEGES ON *.* TO '{made.reader}'@'%' WITH GRANT OPTION",
        f"GRANT signalbox_writer TO '{made.reader}'@'%'",
    )
    assert _rules(findings_of(made.source)) >= {"server-rights", "passes-on", "roles"}

    made.administer(*(line.rstrip(";") for line in set_up_of(made.source)))

    assert findings_of(made.source) == ()
