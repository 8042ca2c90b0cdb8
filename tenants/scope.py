"""Who acts, and for which tenant: values and the active scope.

The scope lives in a context variable. Code that moves work to another thread or
to the event loop copies the context, and with it the scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from django.http import HttpRequest

_active: ContextVar[int | None] = ContextVar("signalbox_tenant", default=None)


class Keyed(Protocol):
    """What a scope needs of a tenant: its primary key."""

    pk: Any


class NoTenantScope(RuntimeError):
    """Tenant data was asked for while no tenant was in scope: a bug in the caller."""


class WrongTenant(RuntimeError):
    """A row of one tenant was about to be written in the scope of another: a bug."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. Passed to every function that touches data.

    Attributes:
        user_id: The user whose permissions count.
        tenant_id: The tenant whose rows may be seen.
        acting_for: The real user, when a page is viewed as somebody else.
    """

    user_id: int
    tenant_id: int
    acting_for: int | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> Actor:
        """Say who makes this request.

        Raises:
            NoTenantScope: nobody is signed in, or the user belongs to no tenant.
        """
        tenant: Keyed | None = getattr(request, "tenant", None)
        if tenant is None or request.user.pk is None:
            raise NoTenantScope("This request has no user with an active tenant.")
        return cls(user_id=request.user.pk, tenant_id=tenant.pk)


def active_tenant_id() -> int | None:
    """Return the primary key of the tenant in scope, or None outside any scope."""
    return _active.get()


def required_tenant_id() -> int:
    """Return the primary key of the tenant in scope.

    Raises:
        NoTenantScope: no scope is open.
    """
    tenant_id = _active.get()
    if tenant_id is None:
        raise NoTenantScope(
            "Tenant data was asked for outside a tenant. Open a scope with "
            "using_tenant(tenant), or say all_tenants where every row is meant."
        )
    return tenant_id


@contextmanager
def using_tenant(tenant: Keyed | int) -> Iterator[int]:
    """Open the scope of one tenant for this context; scopes nest."""
    tenant_id: int = tenant if isinstance(tenant, int) else tenant.pk
    token = _active.set(tenant_id)
    try:
        yield tenant_id
    finally:
        _active.reset(token)


@contextmanager
def guarding_scope() -> Iterator[None]:
    """Start without a scope; whatever is entered inside ends here."""
    token = _active.set(None)
    try:
        yield
    finally:
        _active.reset(token)


def enter_tenant(tenant: Keyed) -> None:
    """Open a scope that the `guarding_scope` around the caller will close."""
    _active.set(tenant.pk)
