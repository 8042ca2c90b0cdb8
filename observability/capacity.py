"""How many rows and bytes a tenant has, how fast they grow, and for how long yet.

What was before is read from earlier reviews: they are kept for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, models, transaction
from django.utils import timezone

from observability.review_models import Review
from observability.review_snapshots import Snapshot
from observability.review_values import (
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    words,
)
from observability.trends import theil_sen, until
from tenants.lifecycle import note_storage
from tenants.models import Tenant
from tenants.scope import Actor, using_tenant

SECTION, TABLE, SIZE = "measured", "capacity", "database-bytes"
_DAY_S = 86_400
_MOST_EARLIER = 24
_SOON_DAYS = 90


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table, as far as it is the tenant's.

    Attributes:
        bytes: The tenant's share of the table with its indexes, by rows; None where
            the database does not tell.
    """

    name: str
    rows: int
    bytes: int | None


def capacity_part(period: Period, actor: Actor) -> Section:
    """Say what the tenant's rows need, and when the database is full."""
    sizes = table_sizes(actor.tenant_id)
    total = database_bytes()
    earlier = _earlier_snapshots(period, actor)
    slope = _slope_of_size(earlier, total)
    limit = settings.SIGNALBOX_DATABASE_LIMIT_MB * 1_000_000
    days = until(limit, now=total, slope=slope) if limit else None
    return Section(
        key="capacity",
        title=words("용량", "Capacity"),
        figures=tuple(_figures(sizes, total, slope, days)),
        tables=(_table(sizes, earlier),),
        findings=tuple(_findings(days)),
    )


def table_sizes(tenant_id: int) -> list[TableSize]:
    """Count the tenant's rows of every table that knows tenants, the largest first."""
    sizes, found = _bytes_of_tables(), []
    for model in apps.get_models():
        if not _has_tenant(model):
            continue
        rows = model._base_manager.filter(tenant_id=tenant_id).count()
        name = model._meta.db_table
        if rows:
            found.append(TableSize(name, rows, _share_of(model, rows, sizes)))
    return sorted(found, key=lambda size: (-size.rows, size.name))


def measure_storage() -> int:
    """Write down the bytes of every tenant's rows; returns the tenants measured.

    A tenant's share of a table is its share of the rows, with the indexes.
    """
    measured = 0
    for tenant in Tenant.objects.order_by("pk"):
        shares = [size.bytes for size in table_sizes(tenant.pk)]
        known = [share for share in shares if share is not None]
        if known or not shares:
            note_storage(tenant, sum(known))
            measured += 1
    return measured


def _has_tenant(model: type[models.Model]) -> bool:
    return any(
        isinstance(field, models.ForeignKey)
        and field.name == "tenant"
        and field.related_model is Tenant
        for field in model._meta.local_fields
    )


def _share_of(
    model: type[models.Model], rows: int, sizes: Mapping[str, int]
) -> int | None:
    """Split a table by rows: what others have in it is nobody else's business."""
    size = sizes.get(model._meta.db_table)
    if size is None:
        return None
    return round(size * rows / max(rows, model._base_manager.count()))


def database_bytes() -> int:
    """Return the size of the portal's whole database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute("PRAGMA page_size")
        return int(pages * cursor.fetchone()[0])


def _bytes_of_tables() -> Mapping[str, int]:
    """Return the bytes of every table with its indexes; empty where nobody tells."""
    if connection.vendor == "postgresql":
        statement = (
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
            "WHERE relkind = 'r' AND pg_table_is_visible(oid)"
        )
    else:
        statement = (
            "SELECT s.tbl_name, SUM(d.pgsize) FROM dbstat d "
            "JOIN sqlite_master s ON s.name = d.name "
            "WHERE d.aggregate = 1 GROUP BY s.tbl_name"
        )
    try:
        # A failed statement would otherwise spoil the transaction around it.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            return dict(cursor.fetchall())
    except OperationalError:
        # A SQLite that was built without dbstat.
        return {}


def _earlier_snapshots(period: Period, actor: Actor) -> list[Snapshot]:
    with using_tenant(actor.tenant_id):
        rows = Review.objects.filter(ends__lt=period.ends).order_by("-ends", "-pk")
        return [row.read() for row in rows[:_MOST_EARLIER] if row.is_sound]


def _slope_of_size(earlier: list[Snapshot], total: int) -> float | None:
    """Return bytes a day of the whole database; None before there are two points."""
    points = [(timezone.now().timestamp() / _DAY_S, float(total))]
    for snapshot in earlier:
        figure = snapshot.figure(SECTION, SIZE)
        if figure is not None and isinstance(figure.value, int):
            points.append((snapshot.taken_at.timestamp() / _DAY_S, float(figure.value)))
    return theil_sen(points)


def _rows_before(earlier: list[Snapshot]) -> list[tuple[float, Mapping[str, int]]]:
    """Return ``(day, rows by table)`` of every earlier review that counted them."""
    found: list[tuple[float, Mapping[str, int]]] = []
    for snapshot in earlier:
        table = snapshot.table(SECTION, TABLE)
        if table is not None:
            rows = {
                str(row[0]): row[1] for row in table.rows if isinstance(row[1], int)
            }
            found.append((snapshot.taken_at.timestamp() / _DAY_S, rows))
    return found


def _table(sizes: list[TableSize], earlier: list[Snapshot]) -> ReviewTable:
    before = _rows_before(earlier)
    today = timezone.now().timestamp() / _DAY_S
    rows = []
    for size in sizes:
        points = [(day, float(told.get(size.name, 0))) for day, told in before]
        slope = theil_sen([(today, float(size.rows)), *points])
        grows = None if slope is None else round(slope, 3)
        rows.append((size.name, size.rows, size.bytes, grows))
    return ReviewTable(
        TABLE,
        words("테이블별 행과 크기", "Rows and bytes by table"),
        (
            words("테이블", "Table"),
            words("행", "Rows"),
            words("바이트(행 수로 나눈 몫)", "Bytes, shared by rows"),
            words("하루에 느는 행(Theil–Sen)", "Rows a day, Theil–Sen"),
        ),
        tuple(rows),
    )


def _figures(
    sizes: list[TableSize], total: int, slope: float | None, days: float | None
) -> Iterator[Figure]:
    yield Figure(
        "rows",
        words("이 테넌트의 행", "Rows of the tenant"),
        sum(size.rows for size in sizes),
        source="SELECT COUNT(*) … WHERE tenant_id = …",
    )
    postgresql = connection.vendor == "postgresql"
    yield Figure(
        SIZE,
        words("포털 전체 데이터베이스", "Database of the whole portal"),
        total,
        "B",
        source="pg_database_size" if postgresql else "PRAGMA page_count, page_size",
    )
    yield Figure(
        "database-growth",
        words("데이터베이스가 하루에 느는 크기", "Growth of the database a day"),
        None if slope is None else round(slope, 1),
        "B",
        source="Theil–Sen",
    )
    yield Figure(
        "days-to-limit",
        words("한도까지 남은 날", "Days to the limit"),
        None if days is None else round(days, 1),
        source="SIGNALBOX_DATABASE_LIMIT_MB",
    )


def _findings(days: float | None) -> Iterator[Finding]:
    if days is not None and days < _SOON_DAYS:
        yield Finding(
            "database-full",
            words(
                f"지금처럼 늘면 {days:.0f}일 뒤 데이터베이스가 한도에 이릅니다.",
                f"At this pace the database reaches its limit in {days:.0f} days.",
            ),
        )
