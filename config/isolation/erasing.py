"""Take canary tenants away, with every row that points to them.

Many rows of the portal refuse to be deleted, as they must: audit entries, reviews,
published versions, menus. So their rows are removed below their models, all in one
transaction, and only those of tenants and users whose names no person can have given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from config.isolation.people import SESSION_SECONDS
from config.isolation.recipes import PORTAL
from observability.log_index import remove_pairs
from observability.models import LogLine
from tenants.models import AuditChain, Tenant, User

MARK = r"^[ab][0-9a-f]{8}x[0-9]{4}$"
TENANTS = r"^canary-[ab][0-9a-f]{8}x[0-9]{4}$"
USERS = r"^canary-([ab][0-9a-f]{8}x[0-9]{4}|both-[0-9a-z]{12})$"
_AT_ONCE = 500

Keys = dict[type[models.Model], set[Any]]


def canary_tenants() -> list[str]:
    """Return the keys of the canary tenants there are."""
    found = Tenant.objects.filter(key__regex=TENANTS)
    return list(found.order_by("key").values_list("key", flat=True))


def erase() -> int:
    """Remove every canary tenant, its users and what belongs to them.

    Returns:
        Rows removed.
    """
    with transaction.atomic():
        doomed = _doomed()
        _forget_lines(doomed.get(LogLine, set()))
        count = 0
        for model, keys in doomed.items():
            for some in _portions(keys):
                count += _plain(model).filter(pk__in=some)._raw_delete(connection.alias)
    return count


def _doomed() -> Keys:
    """Find every row that points to a canary, over as many steps as there are."""
    doomed: Keys = defaultdict(set)
    tenants = set(
        Tenant.objects.filter(key__regex=TENANTS).values_list("pk", flat=True)
    )
    users = set(User.objects.filter(username__regex=USERS).values_list("pk", flat=True))
    new: Keys = {Tenant: tenants, User: users, AuditChain: _there(AuditChain, tenants)}
    for label, field in PORTAL.items():
        model = apps.get_model(label)
        named = _plain(model).filter(**{f"{field}__regex": MARK})
        new[model] = set(named.values_list("pk", flat=True))
    new[Session] = _sessions(users)
    while new:
        found: Keys = defaultdict(set)
        for target, keys in new.items():
            doomed[target] |= keys
        for target, keys in new.items():
            for model, pks in _pointing_to(target, keys):
                found[model] |= pks - doomed[model]
        new = {model: keys for model, keys in found.items() if keys}
    return {model: keys for model, keys in doomed.items() if keys}


def _sessions(users: set[Any]) -> set[str]:
    """Find the sessions of canary users among those that end as soon as theirs."""
    latest = timezone.now() + timedelta(seconds=SESSION_SECONDS)
    numbers = {str(pk) for pk in users}
    return {
        session.pk
        for session in Session.objects.filter(expire_date__lte=latest)
        if session.get_decoded().get(SESSION_KEY) in numbers
    }


def _pointing_to(
    target: type[models.Model], keys: set[Any]
) -> Iterator[tuple[type[models.Model], set[Any]]]:
    """Yield the rows that point to some rows, and those whose child row they are."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model is target:
                yield model, _rows(model, field, keys)
    for parent, link in target._meta.parents.items():
        if link is not None:
            yield parent, _there(parent, keys)


def _rows(
    model: type[models.Model], field: models.ForeignKey[Any, Any], keys: set[Any]
) -> set[Any]:
    found: set[Any] = set()
    for some in _portions(keys):
        rows = _plain(model).filter(Q(**{f"{field.name}__in": some}))
        if field.remote_field.on_delete is models.SET_NULL:
            rows.update(**{field.name: None})
        else:
            found.update(rows.values_list("pk", flat=True))
    return found


def _there(model: type[models.Model], keys: set[Any]) -> set[Any]:
    return set(_plain(model).filter(pk__in=keys).values_list("pk", flat=True))


def _plain(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return the rows of a model without its own managers, and so without a scope."""
    return models.QuerySet(model)


def _portions(keys: set[Any]) -> Iterator[list[Any]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def _forget_lines(keys: set[Any]) -> None:
    """Take log lines out of SQLite's index, which knows no foreign key."""
    for some in _portions(keys):
        lines = LogLine.objects.filter(pk__in=some).values_list("pk", "folded")
        remove_pairs(connection, list(lines))
