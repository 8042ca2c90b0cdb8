"""Model permissions that count only in the tenant they were given for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission
from django.db.models import Model, Q, QuerySet

from tenants.models import User
from tenants.scope import active_tenant_id

LONGEST_USERNAME = 150


def username_of(request: object, credentials: Mapping[str, Any] | None) -> str:
    """Return the name that failed logins are counted under, cut to what is stored."""
    given = credentials or getattr(request, "POST", {})
    return str(given.get("username") or "")[:LONGEST_USERNAME].replace("\0", "")


class TenantBackend(ModelBackend):
    """Django's backend, except that a team counts only while its tenant is in scope.

    Groups that are no teams, and permissions given to the user directly, count
    everywhere; both are for superusers to give.
    """

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        # Django's own method keeps its answer on the user, whatever the tenant.
        return BaseBackend.get_all_permissions(self, user_obj, obj)

    def _get_permissions(
        self, user_obj: User | AnonymousUser, obj: Model | None, from_name: str
    ) -> set[str]:
        if not isinstance(user_obj, User) or not user_obj.is_active or obj is not None:
            return set()
        cache: dict[tuple[str, int | None], set[str]]
        cache = user_obj.__dict__.setdefault("_permissions_by_tenant", {})
        place = (from_name, active_tenant_id())
        if place not in cache:
            if user_obj.is_superuser:
                permissions = Permission.objects.all()
            else:
                permissions = getattr(self, f"_get_{from_name}_permissions")(user_obj)
            names = permissions.order_by().values_list(
                "content_type__app_label", "codename"
            )
            cache[place] = {f"{app}.{codename}" for app, codename in names}
        return cache[place]

    def _get_group_permissions(self, user_obj: User) -> QuerySet[Permission]:
        return Permission.objects.filter(
            group__in=user_obj.groups.filter(_groups_that_count())
        )


def _groups_that_count() -> Q:
    return Q(team=None) | Q(team__tenant_id=active_tenant_id())
