"""connectors/query_roles_mysql.py: grants as a server writes them."""

from __future__ import annotations

import pytest
from django.utils import translation

from connectors.query_role_messages import role_words
from connectors.query_roles_mysql import (
    Grant,
    MySQLFacts,
    backquoted,
    mysql_findings,
    mysql_set_up,
    read_grants,
)

WHO = "`reader`@`%`"


def _facts(*lines: str) -> MySQLFacts:
    return MySQLFacts(WHO, read_grants(lines), registered=("`shop`.`orders`",))


@pytest.mark.parametrize(
    "line",
    [
        f"GRANT USAGE ON *.* TO {WHO} IDENTIFIED BY PASSWORD '*ABC'",
        f"GRANT SELECT ON `shop`.* TO {WHO}",
        f"GRANT SELECT, SHOW VIEW ON `shop`.`orders` TO {WHO}",
        f"GRANT SELECT (`id`, `amount`) ON `shop`.`orders` TO {WHO}",
        f"SET DEFAULT ROLE NONE FOR {WHO}",
    ],
)
def test_reading_is_not_too_strong(line: str) -> None:
    assert mysql_findings(_facts(line)) == ()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (f"GRANT ALL PRIVILEGES ON *.* TO {WHO} WITH GRANT OPTION", "server-rights"),
        (f"GRANT BACKUP_ADMIN,SYSTEM_USER ON *.* TO {WHO}", "server-rights"),
        (f"GRANT PROXY ON ``@`%` TO {WHO}", "server-rights"),
        (f"GRANT SELECT ON `mysql`.`user` TO {WHO}", "system-tables"),
        (f"GRANT DELETE HISTORY ON `shop`.`orders` TO {WHO}", "writes"),
        (f"GRANT SELECT, INSERT (`a`) ON `odd ``TO`` name`.`t` TO {WHO}", "writes"),
        ("GRANT INSERT ON `test`.* TO PUBLIC", "writes"),
        (f"GRANT EXECUTE ON FUNCTION `shop`.`f` TO {WHO}", "executes"),
        (f"GRANT SELECT ON `shop`.* TO {WHO} WITH GRANT OPTION", "passes-on"),
        (f"GRANT `writer` TO {WHO}", "roles"),
        (f"GRANT `writer`@`%`,`more`@`%` TO {WHO}", "roles"),
        ("REVOKE INSERT ON `shop`.* FROM `reader`@`%`", "unreadable-grant"),
        (f"GRANT IMPERSONATE EVERYBODY TO {WHO}", "unreadable-grant"),
    ],
)
def test_anything_else_is_too_strong_and_told(line: str, rule: str) -> None:
    found = {finding.rule: finding for finding in mysql_findings(_facts(line))}

    assert found[rule].too_strong
    with translation.override("en"):
        assert len(role_words(found[rule])) > 20


def test_a_remedy_takes_away_exactly_what_was_found() -> None:
    facts = _facts(
        f"GRANT SELECT, UPDATE (`amount`, `note`) ON `shop`.`orders` TO {WHO}"
    )

    [finding] = mysql_findings(facts)

    assert finding.remedy == (
        f"REVOKE UPDATE (`amount`, `note`) ON `shop`.`orders` FROM {WHO};",
    )


def test_a_password_hash_is_not_kept() -> None:
    line = f"GRANT USAGE ON *.* TO {WHO} IDENTIFIED BY PASSWORD '*94BDCEBE'"

    assert read_grants([line]) == (Grant(("USAGE",), "*.*", WHO),)
    assert "94BD" not in repr(
        read_grants([f"IDENTIFIED BY PASSWORD '*94BDCEBE' {WHO}"])
    )


def test_the_set_up_gives_the_registered_tables_only() -> None:
    facts = _facts(f"GRANT `writer` TO {WHO}")

    assert mysql_set_up(facts) == (
        f"REVOKE `writer` FROM {WHO};",
        f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {WHO};",
        f"GRANT SELECT ON `shop`.`orders` TO {WHO};",
    )


def test_names_are_quoted_as_the_server_does() -> None:
    assert backquoted("odd `name`") == "`odd ``name```"
