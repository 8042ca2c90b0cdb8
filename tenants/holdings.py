"""Everything that is stored of one tenant, found by looking: models, rows, tables.

Nothing is listed by hand, so that what an app adds tomorrow is exported and erased,
too. Apps above are reached through Django's registry and never imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models.functions import Cast

from tenants.models import AuditEntry, Tenant, TenantErasure, User

Model = type[models.Model]
Rows = models.QuerySet[Any]
COLUMNS = frozenset({"tenant", "tenant_id", "tenant_key"})
_TEXTS = (models.CharField, models.TextField, models.JSONField)
_FEW = 500  # names of rows in one statement


def plain(model: Model) -> Rows:
    """Return all rows of a model, whatever its managers hide or forbid."""
    return models.QuerySet(model)


def delete_rows(rows: Rows) -> None:
    """Delete by one statement, without signals and without what hangs on the rows."""
    rows._raw_delete(rows.db)


def tenant_field(model: Model) -> models.ForeignKey[Any, Any] | None:
    """Return the field of a model's own table that says whose a row is."""
    for field in model._meta.local_fields:
        if isinstance(field, models.ForeignKey) and field.related_model is Tenant:
            return field
    return None


def tenant_models() -> list[Model]:
    """Return every model with rows of tenants, by label; the audit trail last."""
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if tenant_field(model) is not None
    ]
    return sorted(found, key=lambda model: (model is AuditEntry, model._meta.label))


def rows_of(model: Model, tenant_id: int) -> Rows:
    field = tenant_field(model)
    if field is None:
        raise ValueError(f"{model._meta.label} has no rows of tenants.")
    return plain(model).filter(**{field.attname: tenant_id})


@dataclass(frozen=True, slots=True)
class Hanging:
    """Rows without a tenant of their own, which hang on rows of one: grants, links.

    Attributes:
        field: Name of the foreign key to `on`.
        on: A model of tenants, or a parent table of one.
    """

    model: Model
    field: str
    on: Model

    def rows(self, tenant_id: int) -> Rows:
        return plain(self.model).filter(
            **{f"{self.field}__in": keys_of(self.on, tenant_id)}
        )


def parents() -> dict[Model, Model]:
    """Return the parent tables of models with tenants, such as Group of Team."""
    return {
        parent: model
        for model in tenant_models()
        for parent in model._meta.get_parent_list()
    }


def keys_of(model: Model, tenant_id: int) -> Rows:
    """Return the primary keys of a tenant's rows, also of a parent table."""
    child = parents().get(model, model)
    return rows_of(child, tenant_id).values("pk")


def hanging() -> list[Hanging]:
    """Return what hangs on rows of tenants by a foreign key, by label."""
    owners = {*tenant_models(), *parents()}
    found = [
        Hanging(model, field.name, field.related_model)
        for model in apps.get_models(include_auto_created=True)
        if model not in owners and model not in {Tenant, User}
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.related_model in owners
    ]
    return sorted(found, key=lambda each: (each.model._meta.label, each.field))


def named_rows(tenant_id: int) -> Iterator[tuple[Model, Rows]]:
    """Yield rows that name the tenant's rows as text: generic grants, Django's log.

    Rows that are gone are known from the audit trail.
    """
    for model in apps.get_models():
        names = {field.name: field for field in model._meta.local_fields}
        kind = names.get("content_type")
        name = "object_pk" if "object_pk" in names else "object_id"
        if kind is None or kind.related_model is not ContentType or name not in names:
            continue
        for owner, keys in _names_of_rows(tenant_id):
            content_type = ContentType.objects.get_for_model(owner)
            for start in range(0, len(keys), _FEW):
                few = {f"{name}__in": keys[start : start + _FEW]}
                yield model, plain(model).filter(content_type=content_type, **few)


def _names_of_rows(tenant_id: int) -> Iterator[tuple[Model, list[str]]]:
    entries = rows_of(AuditEntry, tenant_id).order_by().distinct()
    audited: dict[str, set[str]] = {}
    for label, key in entries.values_list("target_type", "target_id"):
        audited.setdefault(label, set()).add(key)
    for model in tenant_models():
        if model is AuditEntry:
            continue
        keys = {
            str(pk) for pk in rows_of(model, tenant_id).values_list("pk", flat=True)
        }
        if keys := keys | audited.get(model._meta.label, set()):
            yield model, sorted(keys)
    yield Tenant, [str(tenant_id)]


def tables_with_tenants() -> Mapping[str, tuple[str, ...]]:
    """Ask the database itself which tables have a column that names a tenant."""
    found = {}
    with connection.cursor() as cursor:
        for name in sorted(connection.introspection.table_names(cursor)):
            described = connection.introspection.get_table_description(cursor, name)
            columns = sorted(COLUMNS & {column.name.lower() for column in described})
            if columns:
                found[name] = tuple(columns)
    return found


def count_in_tables(tenant: Tenant) -> dict[str, int]:
    """Count a tenant's rows in every table that names tenants, by number or by key."""
    quote = connection.ops.quote_name
    counts = {}
    with connection.cursor() as cursor:
        for table, columns in tables_with_tenants().items():
            # Compared as text: what a column of another app holds is not known here.
            tests = [f"CAST({quote(each)} AS TEXT) IN (%s, %s)" for each in columns]
            where = " OR ".join(tests)
            names = [str(tenant.pk), tenant.key] * len(columns)
            statement = f"SELECT COUNT(*) FROM {quote(table)} WHERE {where}"  # noqa: S608
            cursor.execute(statement, names)
            counts[table] = int(cursor.fetchone()[0])
    return counts


def mentions(words: list[str]) -> dict[str, int]:
    """Count rows whose texts hold one of the words, by ``table.column``.

    Reads every text of the portal's database once: for an erasure, never for a page.
    The proofs of erasures are left out: they are meant to name what is gone.
    """
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model is TenantErasure or model._meta.proxy or not model._meta.managed:
            continue
        for field in model._meta.local_fields:
            if not isinstance(field, _TEXTS):
                continue
            text = Cast(field.name, models.TextField())
            holds = models.Q()
            for word in words:
                holds |= models.Q(searched_text__contains=word)
            count = plain(model).annotate(searched_text=text).filter(holds).count()
            if count:
                found[f"{model._meta.db_table}.{field.column}"] = count
    return found
