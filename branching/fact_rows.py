"""Facts over rows of the portal: all scalars of a page in one statement.

Every scalar fact is a sub-select, and the statement selects them beside the one row
of the tenant, so that its number is the same for one fact and for fifty. A list is
a statement of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, models, router, transaction
from django.db.models import Exists, F, Q, QuerySet, Subquery

from branching.conditions import Facts, Reading, Source, reading_of
from branching.definitions import FILTER_OPERATORS, Filter, parse_filters
from branching.fact_models import FactModel, fact_models
from branching.literals import LiteralRefused, conform, parse_literal
from branching.models import Fact
from branching.operators import FactType
from connectors.parameters import Argument
from tenants.models import Tenant

MOST_ITEMS = 1_000


class Unreadable(Exception):
    """A fact cannot be read: `problem` is a rule id of ``messages``."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class RowsAsk:
    """One fact over rows with its filters' values bound."""

    fact: Fact
    model: FactModel
    filters: tuple[tuple[str, str, Argument], ...]


class _Aggregate(Subquery):
    """An aggregate over the rows of a query, as one scalar sub-select."""

    template = (
        "(SELECT %(function)s(fact_rows.fact_value) FROM (%(subquery)s) fact_rows)"
    )


def bind_rows(fact: Fact, surroundings: Facts) -> RowsAsk:
    """Bind the values of a fact's filters.

    Raises:
        Unreadable: the model or a field is not allowed any more, or a value that a
            filter needs is missing or of another type.
    """
    model = fact_models().get(fact.model)
    if model is None:
        raise Unreadable("not-allowed")
    if fact.aggregate not in ("count", "exists") and fact.field not in model.fields:
        raise Unreadable("not-allowed")
    try:
        filters = tuple(
            (each.field, each.operator, _value_of(each, model, surroundings))
            for each in parse_filters(fact.filters)
        )
    except LiteralRefused:
        raise Unreadable("wrong-type") from None
    return RowsAsk(fact, model, filters)


def _value_of(each: Filter, model: FactModel, surroundings: Facts) -> Argument:
    if each.field not in model.fields:
        raise Unreadable("not-allowed")
    kind = model.type_of(each.field)
    if each.operand is None:
        zone = settings.TIME_ZONE
        return parse_literal(
            each.raw, kind=kind, operator=each.operator, time_zone=zone
        )
    value = reading_of(each.operand, surroundings).value
    if value is None:
        raise Unreadable("parameter-missing")
    if isinstance(value, tuple) and each.operator == "in":
        return tuple(conform(item, kind) for item in value)  # type: ignore[misc]
    return conform(value, kind)


def read_rows(asks: Mapping[str, RowsAsk], *, tenant_id: int) -> dict[str, Reading]:
    """Read facts over rows of one tenant: scalars in one statement, lists in one each.

    When the statement fails, each scalar is read alone, so that only the guilty one
    is unknown.
    """
    scalars = {key: ask for key, ask in asks.items() if ask.fact.aggregate != "list"}
    lists = {key: ask for key, ask in asks.items() if key not in scalars}
    readings = {key: _read_list(ask, tenant_id) for key, ask in lists.items()}
    if scalars:
        try:
            readings |= _read_scalars(scalars, tenant_id)
        except DatabaseError:
            for key, ask in scalars.items():
                readings[key] = _read_alone(key, ask, tenant_id)
    return readings


def _savepoint() -> AbstractContextManager[object]:
    """A failed statement must not spoil the caller's transaction, if there is one."""
    alias = router.db_for_read(Tenant)
    if connections[alias].in_atomic_block:
        return transaction.atomic(using=alias)
    return nullcontext()


def _read_alone(key: str, ask: RowsAsk, tenant_id: int) -> Reading:
    try:
        return _read_scalars({key: ask}, tenant_id)[key]
    except DatabaseError:
        return Reading(problem="database", secret=ask.fact.secret)


def _read_scalars(asks: Mapping[str, RowsAsk], tenant_id: int) -> dict[str, Reading]:
    names = {f"fact_{place}": key for place, key in enumerate(asks)}
    selects = {name: _select(asks[key], tenant_id) for name, key in names.items()}
    tenants = Tenant.objects.filter(pk=tenant_id).annotate(**selects)
    with _savepoint():
        rows = list(tenants.values(*names))
    row: dict[str, Any] = rows[0] if rows else {}
    return {
        key: reading_from(asks[key].fact, row.get(name), Source.DATABASE)
        for name, key in names.items()
    }


def _rows(ask: RowsAsk, tenant_id: int) -> QuerySet[Any]:
    rows = ask.model.model._base_manager.filter(**{ask.model.tenant: tenant_id})
    for field, operator, value in ask.filters:
        rows = rows.filter(_condition(field, operator, value))
    return rows.order_by()


def _condition(field: str, operator: str, value: Argument) -> Q:
    lookup = f"{field}__{FILTER_OPERATORS[operator]}"
    if operator in ("exists", "missing"):
        return Q(**{lookup: operator == "missing"})
    if operator == "ne":
        # A null differs from nothing here, as it does everywhere in conditions.
        return ~Q(**{lookup: value}) & Q(**{f"{field}__isnull": False})
    return Q(**{lookup: value})


def _select(ask: RowsAsk, tenant_id: int) -> Exists | Subquery:
    rows = _rows(ask, tenant_id)
    aggregate = ask.fact.aggregate
    if aggregate == "exists":
        return Exists(rows)
    if aggregate == "count":
        counted = rows.annotate(fact_value=F("pk")).values("fact_value")
        output: models.Field[Any, Any] = models.BigIntegerField()
        return _Aggregate(counted, output_field=output, function="COUNT")
    field = _output(ask)
    if aggregate == "first":
        first = rows.order_by("pk").values(ask.fact.field)[:1]
        return Subquery(first, output_field=field)
    values = rows.annotate(fact_value=F(ask.fact.field)).values("fact_value")
    return _Aggregate(values, output_field=field, function=aggregate.upper())


def _output(ask: RowsAsk) -> models.Field[Any, Any]:
    """Sums and averages leave the field's own bounds; the rest keeps its converters."""
    if ask.fact.aggregate in ("sum", "avg"):
        return models.DecimalField()
    field = ask.model.fields[ask.fact.field]
    return field.target_field if field.is_relation else field  # type: ignore[attr-defined]


def _read_list(ask: RowsAsk, tenant_id: int) -> Reading:
    name = ask.fact.field
    rows = _rows(ask, tenant_id).exclude(**{f"{name}__isnull": True})
    values = rows.order_by(name).values_list(name, flat=True).distinct()
    try:
        with _savepoint():
            found = list(values[:MOST_ITEMS])
    except DatabaseError:
        return Reading(problem="database", secret=ask.fact.secret)
    return reading_from(ask.fact, found or None, Source.DATABASE)


_ZEROES: Mapping[FactType, Argument] = {
    FactType.BOOLEAN: False,
    FactType.INTEGER: 0,
    FactType.DECIMAL: 0,
    FactType.TEXT: "",
    FactType.LIST: (),
}


def reading_from(fact: Fact, found: object, source: Source) -> Reading:
    """Return the reading of a fact from what was found: typed, or empty, or unknown."""
    kind = FactType(fact.type)
    if found is None and fact.empty == "error":
        return Reading(problem="empty", source=source, secret=fact.secret)
    if found is None and fact.empty == "zero":
        found = _ZEROES.get(kind)
    try:
        value = conform(found, kind)
    except LiteralRefused:
        return Reading(problem="wrong-type", source=source, secret=fact.secret)
    return Reading(value, source=source, secret=fact.secret)
