"""Words for what a database user may do too much, in the active language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.query_roles import RoleFinding

_MOST_NAMES = 5

_WORDS: dict[str, Promise] = {
    "superuser": gettext_lazy(
        "The user %(found)s is a superuser: no right and no row security holds it."
    ),
    "bypassrls": gettext_lazy("The user %(found)s passes by row security."),
    "createrole": gettext_lazy("The user %(found)s may make other users."),
    "createdb": gettext_lazy("The user %(found)s may make databases."),
    "replication": gettext_lazy("The user %(found)s may copy the whole server."),
    "strong-role": gettext_lazy("The user is a member of strong roles: %(found)s."),
    "owner": gettext_lazy(
        "The user owns registered tables and may change them and their policies: "
        "%(found)s."
    ),
    "writes": gettext_lazy("The user may change data: %(found)s."),
    "functions": gettext_lazy(
        "The user may call functions that reach past a read-only transaction: "
        "%(found)s."
    ),
    "creates": gettext_lazy("The user may create in schemas: %(found)s."),
    "row-security": gettext_lazy(
        "No row security holds the rows of other tenants back: %(found)s."
    ),
    "wide-policy": gettext_lazy(
        "A policy of row security shows rows without asking for the tenant: %(found)s."
    ),
    "no-policy": gettext_lazy(
        "Row security is on and no policy shows the user a row: %(found)s."
    ),
    "temporary": gettext_lazy("The user may make temporary tables."),
    "unregistered": gettext_lazy(
        "The user may read tables that the data source does not register: %(found)s."
    ),
    "nothing-registered": gettext_lazy(
        "The data source registers no table, so that no saved query reads one of: "
        "%(found)s. Register its tables."
    ),
    "missing": gettext_lazy(
        "Registered tables are not there, or may not be read: %(found)s."
    ),
    "temporary-files": gettext_lazy(
        "Temporary files of a query have no limit but the time."
    ),
    "server-rights": gettext_lazy(
        "The user has rights on the whole server: %(found)s."
    ),
    "system-tables": gettext_lazy(
        "The user has rights on the server's own tables: %(found)s."
    ),
    "executes": gettext_lazy(
        "The user may call stored routines, which may do what their maker may: "
        "%(found)s."
    ),
    "passes-on": gettext_lazy("The user may pass its rights on: %(found)s."),
    "roles": gettext_lazy(
        "The user may take on roles, whose rights were not looked at: %(found)s."
    ),
    "unreadable-grant": gettext_lazy(
        "The server names a right that cannot be read here: %(found)s."
    ),
    "writable-file": gettext_lazy(
        "The portal could write to the file. It opens it to be read only; a file that "
        "belongs to somebody else would hold as well."
    ),
}


def role_words(finding: RoleFinding) -> str:
    """Say what a user may do too much, or what to know of it."""
    names = ", ".join(finding.found[:_MOST_NAMES])
    if (more := len(finding.found) - _MOST_NAMES) > 0:
        names = _("%(names)s and %(count)d more") % {"names": names, "count": more}
    return str(_WORDS[finding.rule]) % {"found": names}
