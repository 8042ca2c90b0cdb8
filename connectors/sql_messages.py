"""Words for what the SQL connector says, in the active language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.query_safety import MOST_BYTES, MOST_DEPTH, Refused

_MOST_NAMES = 12  # registered tables that a refusal lists

_FOUND: dict[str, Promise] = {
    "length": gettext_lazy("Query refused: it is too long (%(found)s)."),
    "characters": gettext_lazy(
        "Query refused: it holds the character %(found)s, which no query needs."
    ),
    "dialect": gettext_lazy(
        "Query refused: databases of the kind “%(found)s” are not supported."
    ),
    "hidden-code": gettext_lazy(
        "Query refused: “%(found)s” may hide code from this check."
    ),
    "syntax": gettext_lazy("Query refused: it cannot be read at “%(found)s”."),
    "depth": gettext_lazy("Query refused: its parentheses are nested too deeply."),
    "empty": gettext_lazy("Query refused: it is empty."),
    "one-statement": gettext_lazy("Query refused: it has %(found)s statements."),
    "read-only": gettext_lazy(
        "Query refused: a statement that begins with %(found)s is no plain read."
    ),
    "write-inside": gettext_lazy(
        "Query refused: there is a %(found)s inside it, which changes data."
    ),
    "into": gettext_lazy(
        "Query refused: INTO writes the result to a table, a file or a variable."
    ),
    "lock": gettext_lazy("Query refused: it locks the rows it reads."),
    "session": gettext_lazy(
        "Query refused: %(found)s reads or changes what belongs to the session."
    ),
    "part": gettext_lazy("Query refused: %(found)s is not allowed in a saved query."),
    "function": gettext_lazy(
        "Query refused: the function %(found)s is not on the list of safe functions."
    ),
    "data-type": gettext_lazy("Query refused: the type %(found)s is not allowed."),
    "catalog": gettext_lazy("Query refused: %(found)s belongs to the database itself."),
    "positional": gettext_lazy("Query refused: it has a parameter without a name."),
    "parameter-name": gettext_lazy(
        "Query refused: %(found)s is no name of a parameter."
    ),
    "unstable": gettext_lazy(
        "Query refused: it reads differently when it is written out again."
    ),
    "tenant": gettext_lazy("Query refused: it would run for no tenant."),
    "table": gettext_lazy(
        "Query refused: the table “%(found)s” is not registered with the data source."
    ),
    "scope": gettext_lazy(
        "Query refused: it cannot be told for certain which rows “%(found)s” reads."
    ),
}
_REMEDIES: dict[str, Promise] = {
    "shorten": gettext_lazy("Keep it below %(bytes)s kB."),
    "split": gettext_lazy("Save each statement as an operation of its own."),
    "select": gettext_lazy("Write one SELECT, optionally with WITH, UNION or VALUES."),
    "other-function": gettext_lazy("Use a function of the list in the documentation."),
    "other-type": gettext_lazy("Cast to a plain type, such as text or numeric."),
    "own-tables": gettext_lazy("Read tables and views of your own."),
    "name-parameters": gettext_lazy(
        "Write parameters as :name, with letters, digits and underscores."
    ),
    "rewrite": gettext_lazy(
        "Write it more plainly, with at most %(depth)s parentheses in each other."
    ),
    "dialect": gettext_lazy("Use a PostgreSQL, MySQL, MariaDB or SQLite data source."),
    "tenant": gettext_lazy("Open the portal as a member of the tenant that owns it."),
    "register": gettext_lazy(
        "Register the tables that queries may read on the page of the data source."
    ),
    "registered": gettext_lazy(
        "Read one of %(names)s, or register the table on the page of the data source."
    ),
    "other-name": gettext_lazy("Give it another name."),
    "quote-name": gettext_lazy("Write the name in quotes."),
    "name-column": gettext_lazy("Use a column of the table, such as its key."),
    "alias": gettext_lazy(
        "Give the table an alias, and write the alias before the column."
    ),
}
_FAILURES: dict[str, Promise] = {
    "timeout": gettext_lazy(
        "The database did not answer in time. Narrow the query, or raise the timeout "
        "of the operation."
    ),
    "busy": gettext_lazy(
        "Too many queries are waiting already. Try again in a moment."
    ),
    "cancelled": gettext_lazy("The query was cancelled."),
    "undeclared-parameter": gettext_lazy(
        "The query names :%(name)s, but the operation has no such parameter. Add the "
        "parameter, or take it out of the query."
    ),
    "misplaced-list": gettext_lazy(
        "The list parameter :%(name)s can only stand alone in parentheses after IN, as "
        "in “site IN (:%(name)s)”."
    ),
    "permission": gettext_lazy(
        "The database refused: %(detail)s. Grant its user the right to read this."
    ),
    "read-only": gettext_lazy(
        "The database refused a statement that is not a plain read. Write one SELECT "
        "over tables of your own."
    ),
    "statement": gettext_lazy(
        "The database cannot run the query: %(detail)s. Correct the query."
    ),
    "value": gettext_lazy(
        "The database could not work out a value, such as a division by zero or a text "
        "that is no number. Correct the query or its arguments."
    ),
    "unreachable": gettext_lazy(
        "No connection to the database. Try again; if it stays, check the address and "
        "the network of the data source."
    ),
    "login": gettext_lazy(
        "The database did not accept the user or the password of the data source. "
        "Correct them."
    ),
    "overloaded": gettext_lazy(
        "The database is too busy to answer. Try again in a moment."
    ),
    "file": gettext_lazy(
        "The database file cannot be read. Check that it is there and is a SQLite file."
    ),
    "too-big": gettext_lazy(
        "A value of the result is too big. Take less of it, for example with substr()."
    ),
    "encoding": gettext_lazy(
        "A text of the result is not UTF-8. Leave that column out."
    ),
    "other": gettext_lazy(
        "The database answered with an error. The log has the details."
    ),
}
_SOURCES: dict[str, Promise] = {
    "address": gettext_lazy(
        "The address of the data source cannot be read. Write it as "
        "postgresql://user@host/database, mysql://user@host/database, "
        "mariadb://user@host/database or sqlite:////folder/file.sqlite3."
    ),
    "dialect": gettext_lazy(
        "The kind of database “%(found)s” does not fit the data source. Use "
        "PostgreSQL, MySQL, MariaDB or SQLite, and the same kind in its address."
    ),
    "option": gettext_lazy(
        "The address of the data source has the option “%(found)s”, which is not "
        "allowed. Take it out."
    ),
    "portal-database": gettext_lazy(
        "This is the portal's own database; saved queries never run there. Use a data "
        "source of its own, or a series of the portal."
    ),
    "server-kind": gettext_lazy(
        "The server of the data source is %(found)s, and its address says another "
        "kind. Begin the address with mysql:// for MySQL, with mariadb:// for MariaDB."
    ),
    "certificate": gettext_lazy(
        "A certificate that the address of the data source names cannot be read. Check "
        "the paths in ssl_ca, ssl_cert and ssl_key."
    ),
    "folder": gettext_lazy(
        "The database file of the data source lies outside the folders that data "
        "sources may name. Move it there, or add its folder to SIGNALBOX_SQLITE_PATHS."
    ),
    "missing-file": gettext_lazy(
        "The database file of the data source is not there. Check its path."
    ),
}


def refusal_words(refused: Refused) -> str:
    """Say which rule a query breaks, where, and the way out."""
    fault = str(_FOUND[refused.rule]) % {"found": refused.found or "…"}
    sizes = {"bytes": MOST_BYTES // 1024, "depth": MOST_DEPTH}
    names = ", ".join(refused.names[:_MOST_NAMES])
    more = ", …" if len(refused.names) > _MOST_NAMES else ""
    remedy = str(_REMEDIES[refused.remedy]) % {**sizes, "names": names + more}
    place = _place_words(refused.line, refused.column)
    return " ".join(filter(None, [fault, place, remedy]))


def failure_words(
    rule: str,
    *,
    detail: str = "",
    name: str = "",
    place: tuple[int, int] | None = None,
) -> str:
    """Say why a query failed and the way out.

    Args:
        detail: What the database said, without any value.
        name: Name of the parameter.
        place: Line and column in the saved query, from 1.
    """
    words = str(_FAILURES[rule]) % {"detail": detail, "name": name}
    return f"{words} {_place_words(*place)}" if place else words


def source_words(rule: str, found: str = "") -> str:
    """Say why a data source cannot be used and the way out."""
    return str(_SOURCES[rule]) % {"found": found}


def series_words(rule: str, *, name: str, known: str = "") -> str:
    """Say why a series of the portal cannot be read and the way out."""
    if rule == "unknown-series":
        words = _("The portal has no series “%(name)s”. Use one of: %(known)s.")
        return words % {"name": name, "known": known}
    return _("The series “%(name)s” did not arrive in time. Try again.") % {
        "name": name
    }


def _place_words(line: int | None, column: int | None) -> str:
    if line is None or column is None:
        return ""
    return _("(Line %(line)s, column %(column)s.)") % {"line": line, "column": column}
