"""What every kind of database is asked to hold by itself, whatever the statement.

The judge and the tenant scope stand in front; a wall holds when both are gone. One
module per kind of database: `connectors.sql_postgresql`, `connectors.sql_sqlite`,
`connectors.sql_mysql`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import URL
from sqlalchemy.engine import Engine

from connectors.specs import SourceSpec


class SourceRefusedError(Exception):
    """A data source whose address may not be used.

    Attributes:
        rule: Rule id of ``connectors.sql_messages``: ``address``, ``option``,
            ``portal-database``, ``missing-file``, ``folder``, ``dialect``,
            ``server-kind`` or ``certificate``.
        found: What was found; never an address.
    """

    def __init__(self, rule: str, found: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.found = found


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms one query runs.

    Attributes:
        until: ``time.monotonic()`` seconds after which the database gives up.
        is_over: Tells, on any thread, that time is up or the reader has left.
        tenant_key: Key of the tenant whose rows alone may be read.
        tenant_id: Its number.
    """

    until: float
    is_over: Callable[[], bool]
    tenant_key: str
    tenant_id: int


class Wall(Protocol):
    """One kind of database: how it is opened, held and stopped.

    `begin`, `end` and `cancel` take the driver's own connection.
    """

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    def checked_url(self, url: URL) -> URL:
        """Return the address with its driver.

        Raises:
            SourceRefusedError: an option of it is not on the allow-list.
        """

    def is_portal(self, url: URL, portal: Mapping[str, Any]) -> bool:
        """Tell whether the address leads where Django's own settings lead."""

    def fingerprint(self, url: URL, source: SourceSpec) -> object:
        """Return what an open engine depends on, besides the address.

        Raises:
            SourceRefusedError: the database is not there, or may not be used.
        """

    def make_engine(self, url: URL, source: SourceSpec) -> Engine:
        """Make a small pool of connections that can only read."""

    def begin(self, driver: Any, terms: Terms) -> None:
        """Hold what comes next to its terms, in a transaction that cannot write."""

    def end(self, driver: Any) -> None:
        """Undo the transaction and all that a statement may have left in the session.

        Raises:
            Exception: one of `errors`; the connection is not to be used again.
        """

    def cancel(self, driver: Any) -> None:
        """End the statement that runs. Called from another thread."""
