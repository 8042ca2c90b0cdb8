"""What becomes of people when the last tenant they belonged to is erased."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.db import models, transaction
from django.db.models import ProtectedError, RestrictedError

from tenants.models import User


@dataclass(frozen=True, slots=True)
class People:
    """Primary keys of users: deleted, and still there."""

    gone: frozenset[int]
    kept: frozenset[int]


def forget_people(user_ids: Iterable[int]) -> People:
    """Delete users who belong to no tenant any more; superusers stay.

    Where rows of other tenants forbid it, what names the person is taken away, and the
    account is closed.
    """
    members = User.objects.filter(pk__in=list(user_ids)).order_by("pk")
    without = members.filter(memberships=None, is_superuser=False)
    gone: set[int] = set()
    for user in list(without):
        pk = user.pk
        _forget_attempts(user.get_username())
        try:
            with transaction.atomic():
                user.delete()
        except (ProtectedError, RestrictedError):
            _make_nobody(user)
        gone.add(pk)
    kept = set(members.values_list("pk", flat=True)) - gone
    return People(frozenset(gone), frozenset(kept))


def _make_nobody(user: User) -> None:
    user.username = f"erased-{user.pk}"
    user.first_name = user.last_name = user.email = ""
    user.is_active = user.is_staff = False
    user.set_unusable_password()
    user.save()
    user.groups.clear()
    user.user_permissions.clear()


def _forget_attempts(username: str) -> None:
    """Delete what was kept of failed and good sign-ins under a name."""
    if not apps.is_installed("axes"):
        return
    for model in apps.get_app_config("axes").get_models():
        if any(field.name == "username" for field in model._meta.local_fields):
            models.QuerySet(model).filter(username=username).delete()
