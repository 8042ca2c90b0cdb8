"""Checks the database users of the SQL data sources of one tenant, or of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from connectors import messages
from connectors.models import DataSource, QuerySafetyCheck
from connectors.query_role_facts import READ_ERRORS, findings_of, set_up_of
from connectors.query_roles import RoleFinding
from connectors.specs import SourceSpec
from connectors.sql_failures import failure_of
from connectors.sql_messages import source_words
from connectors.sql_wall import SourceRefusedError
from tenants.scope import using_tenant


@dataclass(frozen=True, slots=True)
class RoleReport:
    """What one data source's user may do.

    Attributes:
        fault: Why it could not be asked, in the active language; empty when it was.
        set_up: SQL that gives the user the least it needs, when it was asked for.
    """

    tenant: str
    source: str
    dialect: str
    findings: tuple[RoleFinding, ...] = ()
    fault: str = ""
    set_up: tuple[str, ...] = ()

    @property
    def too_strong(self) -> bool:
        return any(finding.too_strong for finding in self.findings)


def sql_sources(*, tenant: str = "", key: str = "") -> list[SourceSpec]:
    """Return the enabled SQL data sources, of one tenant or of all, as values."""
    rows = DataSource.all_tenants.filter(kind=DataSource.Kind.SQL, enabled=True)
    if tenant:
        rows = rows.filter(tenant__key=tenant)
    if key:
        rows = rows.filter(key=key)
    found = []
    for row in rows.select_related("tenant").order_by("tenant__key", "key"):
        with using_tenant(row.tenant_id):
            found.append(row.spec())
    return found


def role_reports(
    *, tenant: str = "", key: str = "", set_up: bool = False
) -> Iterator[RoleReport]:
    """Connect to each SQL data source in turn and say what its user may do."""
    for source in sql_sources(tenant=tenant, key=key):
        yield role_report(source, set_up=set_up)


def role_report(source: SourceSpec, *, set_up: bool = False) -> RoleReport:
    """Connect to one SQL data source and say what its user may do."""
    named = source.tenant_key, source.key, source.dialect
    if source.fault:
        words = messages.failure_text(source.fault, {"source": source.key})
        return RoleReport(*named, fault=words)
    try:
        findings = findings_of(source)
        lines = set_up_of(source) if set_up else ()
    except SourceRefusedError as error:
        return RoleReport(*named, fault=source_words(error.rule, error.found))
    except READ_ERRORS as error:
        failure = failure_of(error, sql="", late=False, cancelled=False)
        return RoleReport(*named, fault=failure.message)
    return RoleReport(*named, findings=findings, set_up=lines)


def unverified_sources(*, days: int) -> tuple[int, list[str]]:
    """Count the enabled SQL data sources, and name those that nobody knows to hold.

    Its last check is older than `days`, older than its own last change, not as signed,
    or found something that ran; or there is none. The portal's database is asked, and
    no other.
    """
    since = timezone.now() - timedelta(days=days)
    rows = DataSource.all_tenants.filter(kind=DataSource.Kind.SQL, enabled=True)
    latest = {
        check.source_id: check
        for check in QuerySafetyCheck.all_tenants.filter(source__in=rows)
        .select_related("source")
        .order_by("checked_at", "pk")
    }
    found = []
    for row in rows.select_related("tenant").order_by("tenant__key", "key"):
        check = latest.get(row.pk)
        young = check is not None and check.checked_at >= max(since, row.updated_at)
        if check is None or not (young and check.held and check.is_genuine()):
            found.append(f"{row.tenant.key}/{row.key}")
    return len(rows), found
