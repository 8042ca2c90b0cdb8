"""The index behind the text search of log lines, on SQLite and on PostgreSQL.

SQLite: an FTS5 table over pairs of characters, made in Python. Its own trigrams would
silently find nothing for two Korean syllables. PostgreSQL: ``pg_trgm``. Both only
narrow the rows down; `observability.log_search` checks every row itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import pairwise

from django.db import Error as DatabaseFailure
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE_TABLE = "observability_logpairs"
POSTGRESQL_INDEX = "observability_line_text_idx"
_MOST_PAIRS_ASKED = 40

logger = logging.getLogger(__name__)


def pairs(folded: str) -> str:
    """Return the pairs of neighbouring characters, as words of hexadecimal digits."""
    found = dict.fromkeys(pairwise(folded))
    return " ".join(f"{ord(first):x}z{ord(second):x}" for first, second in found)


def asked_pairs(needle: str) -> str:
    """Return what FTS5 is asked for a text of two or more characters."""
    return " ".join(pairs(needle).split()[:_MOST_PAIRS_ASKED])


def create_index(connection: BaseDatabaseWrapper) -> bool:
    """Make the index of this database; False when it may not be made.

    Without ``pg_trgm`` searches answer the same, from scanning.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {SQLITE_TABLE} USING fts5"
                "(pairs, content='', detail=none, columnsize=0, tokenize='ascii')"
            )
            return True
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseFailure as error:
            logger.warning(
                "The extension pg_trgm could not be made (%s): log searches will scan. "
                "Have an administrator of the database run CREATE EXTENSION pg_trgm, "
                "then run manage.py logs --make-index.",
                type(error).__name__,
            )
            return False
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS {POSTGRESQL_INDEX} "
            "ON observability_logline USING gin (folded gin_trgm_ops)"
        )
    return True


def drop_index(connection: BaseDatabaseWrapper) -> None:
    """Take the index away, and the extension where nothing else stands on it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP TABLE IF EXISTS {SQLITE_TABLE}")
            return
        cursor.execute(f"DROP INDEX IF EXISTS {POSTGRESQL_INDEX}")
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("DROP EXTENSION IF EXISTS pg_trgm RESTRICT")
        except DatabaseFailure as error:
            # Somebody else's index needs it, or somebody else made it: it stays.
            logger.info("The extension pg_trgm stays: %s", type(error).__name__)


def add_pairs(connection: BaseDatabaseWrapper, rows: Iterable[tuple[int, str]]) -> None:
    """Put rows into SQLite's index; PostgreSQL keeps its own.

    Args:
        rows: Primary key and folded text.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {SQLITE_TABLE} (rowid, pairs) VALUES (%s, %s)",  # noqa: S608
            [(pk, pairs(folded)) for pk, folded in rows],
        )


def remove_pairs(
    connection: BaseDatabaseWrapper, rows: Sequence[tuple[int, str]]
) -> None:
    """Take rows out of SQLite's index, which must be told what they held."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {SQLITE_TABLE} ({SQLITE_TABLE}, rowid, pairs) "  # noqa: S608
            "VALUES ('delete', %s, %s)",
            [(pk, pairs(folded)) for pk, folded in rows],
        )
