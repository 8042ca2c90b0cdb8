"""What the doctor asks about the data sources that saved queries read."""

from __future__ import annotations

from django.db import Error as DatabaseFailure
from django.utils.translation import gettext as _

from config.findings import Finding, Level
from connectors.services import role_reports, unverified_sources

_VERIFIED_DAYS = 31


def query_safety() -> Finding:
    """Say whether the data sources were shown to hold, and not long ago."""
    name = "query-safety"
    try:
        count, unverified = unverified_sources(days=_VERIFIED_DAYS)
    except DatabaseFailure:
        found = _("Checks of query safety cannot be read.")
        return Finding(name, Level.ERROR, found, _("Run: manage.py migrate"))
    if unverified:
        found = _(
            "%(count)d of %(all)d SQL data sources were not verified within %(days)d "
            "days, or since they changed; the first is %(first)s."
        ) % {
            "count": len(unverified),
            "all": count,
            "days": _VERIFIED_DAYS,
            "first": unverified[0],
        }
        remedy = _("Run: manage.py verify_query_safety --data-source KEY")
        return Finding(name, Level.WARNING, found, remedy)
    found = _("%(count)d SQL data sources were verified.") % {"count": count}
    return Finding(name, Level.OK, found)


def query_roles() -> Finding:
    """Connect to every SQL data source and ask what its user may do."""
    name = "query-roles"
    try:
        reports = list(role_reports())
    except DatabaseFailure:
        found = _("The data sources cannot be read.")
        return Finding(name, Level.ERROR, found, _("Run: manage.py migrate"))
    bad = [report for report in reports if report.too_strong or report.fault]
    if bad:
        found = _(
            "Of %(all)d SQL data sources, %(count)d read with a user that is too "
            "strong, or could not be asked; the first is %(first)s."
        ) % {
            "all": len(reports),
            "count": len(bad),
            "first": f"{bad[0].tenant}/{bad[0].source}",
        }
        remedy = _("Run: manage.py check_query_roles")
        return Finding(name, Level.WARNING, found, remedy)
    found = _("%(count)d SQL data sources read with users that can only read.")
    return Finding(name, Level.OK, found % {"count": len(reports)})
