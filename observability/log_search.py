"""Find log lines: a query's tree becomes conditions, and pages come newest first.

On both engines an index narrows the rows down, and the same check of the folded text
decides. So the answers are equal, and every substring is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import (
    Count,
    F,
    Func,
    IntegerField,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import BuiltinLookup, Exact, GreaterThan
from django.utils import timezone

from observability.log_index import SQLITE_TABLE, asked_pairs
from observability.log_query import (
    LABELS,
    Either,
    Every,
    Field,
    Level,
    Moment,
    Node,
    Not,
    Text,
)
from observability.models import LogLine

PAGE = 100
# A condition without an index looks at the newest lines first, and further back only
# while its page is not full.
_SLICES = (
    timedelta(hours=1),
    timedelta(hours=12),
    timedelta(days=3),
    timedelta(days=14),
)
_COLUMNS = {
    "logger": "logger",
    "trace": "trace_id",
    "user": "user",
    "status": "status",
    "process": "worker",
}
_WHOLE_TRACE = 32
# Seconds; all of them divide an hour, a day or a week.
_STRETCHES = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 43_200, 86_400, 604_800, 2_592_000)
_LOOKUPS = {"=": "exact", ">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose lines may be seen.

    Attributes:
        tenant_id: Lines of this tenant; None for none.
        portal: Lines without a tenant, too.
        everything: Lines of every tenant: for commands alone.
    """

    tenant_id: int | None = None
    portal: bool = False
    everything: bool = False

    def lines(self) -> QuerySet[LogLine]:
        if self.everything:
            return LogLine.objects.all()
        return LogLine.objects.visible_to(self.tenant_id, portal=self.portal)


class Place(NamedTuple):
    """After which line a page begins; lines that arrive later never move it."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk}"

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Read what ``str`` wrote; None for anything else."""
        moment, _tilde, number = text.partition("~")
        if not re.fullmatch(r"[0-9]{1,18}", number):
            return None
        try:
            at = datetime.fromisoformat(moment)
        except ValueError:
            return None
        return cls(at, int(number)) if at.tzinfo is not None else None


def matching(node: Node, *, reach: Reach, now: datetime) -> QuerySet[LogLine]:
    """Return the lines within `reach` that meet `node`, in no order."""
    return reach.lines().filter(_condition(node, now, positive=True)).order_by()


def search(
    node: Node,
    *,
    reach: Reach,
    after: Place | None = None,
    limit: int = PAGE,
    now: datetime | None = None,
) -> list[LogLine]:
    """Return up to `limit` lines, newest first.

    Args:
        after: Only lines older than this place.
        now: What ``since:2h`` counts from.
    """
    moment = now or timezone.now()
    rows = matching(node, reach=reach, now=moment).select_related("tenant")
    if after is not None:
        rows = rows.filter(Q(at__lt=after.at) | Q(at=after.at, pk__lt=after.pk))
    rows = rows.defer("folded").order_by("-at", "-pk")
    if not _scans(node):
        return list(rows[:limit])
    found: list[LogLine] = []
    for window in _windows(after.at if after else moment):
        found += rows.filter(window)[: limit - len(found)]
        if len(found) >= limit:
            break
    return found


def _windows(newest: datetime) -> Iterator[Q]:
    """Cut all time into slices, newest first; the first has no end, the last none."""
    until: datetime | None = None
    for length in _SLICES:
        since = newest - length
        yield Q(at__gte=since) & (Q(at__lt=until) if until else Q())
        until = since
    yield Q(at__lt=until)


def _scans(node: Node) -> bool:
    """Say whether a text is asked for that this engine's index does not know."""
    match node:
        case Text(needle):
            return len(needle) < (2 if connection.vendor == "sqlite" else 3)
        case Every(parts) | Either(parts):
            return any(map(_scans, parts))
        case Not(part):
            return _scans(part)
    return False


def _condition(node: Node, now: datetime, *, positive: bool) -> Q:
    match node:
        case Text(needle):
            return _contains(needle, indexed=positive)
        case Level(operator, number):
            return Q(**{f"level__{_LOOKUPS[operator]}": number})
        case Field(name, value):
            return _is(name, value)
        case Moment(name, at, ago):
            moment = now - ago if ago is not None else _aware(at or now)
            return Q(at__gte=moment) if name == "since" else Q(at__lt=moment)
        case Not(part):
            return ~_condition(part, now, positive=False)
        case Every(parts):
            conditions = [_condition(part, now, positive=positive) for part in parts]
            return Q(*conditions)
        case Either(parts):
            either = Q(pk__in=[])
            for part in parts:
                either |= _condition(part, now, positive=positive)
            return either


def _contains(needle: str, *, indexed: bool) -> Q:
    needle = needle.replace("\0", "")
    check = Q(GreaterThan(StrIndex(F("folded"), Value(needle)), 0))
    if not indexed or not needle:
        return check
    if connection.vendor == "sqlite":
        if len(needle) < 2:
            return check
        rows = RawSQL(  # noqa: S611 - the text is a parameter
            f"SELECT rowid FROM {SQLITE_TABLE} WHERE {SQLITE_TABLE} MATCH %s",  # noqa: S608
            (asked_pairs(needle),),
        )
        return Q(pk__in=rows) & check
    return Q(folded__contains=needle) & check if len(needle) > 2 else check


def _is(name: str, value: str) -> Q:
    value = value.replace("\0", "")
    if name == "tenant":
        if not value:
            return Q(tenant_id=None)
        key = Coalesce(F("tenant__key"), Value(""), output_field=TextField())
        return _compared(key, value)
    if name in LABELS:
        label = Coalesce(KT(f"labels__{name}"), Value(""), output_field=TextField())
        return _compared(label, value)
    if name == "trace" and value and "*" not in value and len(value) < _WHOLE_TRACE:
        value = f"{value}*"  # the start of one is enough
    return _compared(F(_COLUMNS[name]), value)


def _compared(expression: Any, value: str) -> Q:
    """Compare a text; a pattern is met by what is there, and by no missing value."""
    if not set("*?") & set(value):
        return Q(Exact(expression, Value(value)))
    return Q(Resembles(expression, value)) & ~Q(Exact(expression, Value("")))


class Resembles(BuiltinLookup[str]):
    """A text is like a pattern of * and ?, in its own case, on both engines alike."""

    lookup_name = "resembles"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        if connection.vendor == "sqlite":
            return "%s", [value.replace("[", "[[]")]
        plain = re.sub(r"([\\%_])", r"\\\1", value)
        return "%s", [plain.replace("*", "%").replace("?", "_")]

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"GLOB {rhs}" if connection.vendor == "sqlite" else f"LIKE {rhs}"


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else timezone.make_aware(moment)


class Slot(Func):
    """Number of the stretch of `seconds` since 1970 in which a moment lies."""

    output_field = IntegerField()

    def __init__(self, moment: str, *, seconds: int) -> None:
        super().__init__(F(moment), Value(seconds))

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(CAST(strftime('%%%%s', %(expressions)s AS INTEGER))"
        return self.as_sql(
            compiler, connection, template=template, arg_joiner=") / ", **extra
        )

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s)::int"
        return self.as_sql(
            compiler, connection, template=template, arg_joiner=") / ", **extra
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """Lines of one stretch of time; `loud` of them are warnings or worse."""

    since: datetime
    until: datetime
    lines: int
    loud: int


def histogram(
    node: Node, *, reach: Reach, since: datetime, until: datetime, now: datetime
) -> list[Counted]:
    """Count matching lines from `since` to before `until`, in at most 60 stretches.

    One statement. Stretches have a round length and none is left out.
    """
    seconds = stretch_seconds(since, until)
    rows = (
        matching(node, reach=reach, now=now)
        .filter(at__gte=since, at__lt=until)
        .annotate(slot=Slot("at", seconds=seconds))
        .values("slot")
        .annotate(lines=Count("pk"), loud=Count("pk", filter=Q(level__gte=30)))
        .values_list("slot", "lines", "loud")
    )
    counts = {int(slot): (lines, loud) for slot, lines, loud in rows}
    first, last = (int(m.timestamp()) // seconds for m in (since, until))
    return [
        Counted(
            datetime.fromtimestamp(slot * seconds, tz=UTC),
            datetime.fromtimestamp((slot + 1) * seconds, tz=UTC),
            *counts.get(slot, (0, 0)),
        )
        for slot in range(first, last + 1)
    ]


def stretch_seconds(since: datetime, until: datetime) -> int:
    """Return the shortest round length of which at most 60 cover the time."""
    whole = (until - since).total_seconds()
    return next((each for each in _STRETCHES if whole / each < 59), _STRETCHES[-1])
