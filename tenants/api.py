"""Tokens for the API: who calls, in which tenant, and with which scopes."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission, SingleOperandHolder
from rest_framework.request import Request

from tenants.messages import refusal_text
from tenants.middleware import activate_preferences
from tenants.models import ApiToken, TokenScope, User
from tenants.scope import enter_tenant
from tenants.tokens import Refused, check_token


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``: the token's user in the token's tenant.

    The token's scope replaces the session's for the rest of the request, and
    TenantMiddleware closes it. Pages outside the API never look at the header.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        inner = request._request
        if not getattr(inner, "scope_is_guarded", False):
            raise RuntimeError("TokenAuthentication needs TenantMiddleware.")
        found = check_token(secret.strip())
        if isinstance(found, Refused):
            raise AuthenticationFailed(refusal_text(found.rule), code=found.rule)
        inner.user = found.user
        inner.tenant = found.tenant  # type: ignore[attr-defined]
        enter_tenant(found.tenant)
        activate_preferences(inner, found.user)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class HasScope(SingleOperandHolder):
    """Lets a token in that has this scope, and any session; both need a tenant.

    Use it as ``permission_classes = [HasScope("read")]``.
    """

    def __init__(self, scope: str) -> None:
        self.scope = TokenScope(scope).value

    def __call__(self, *args: object, **kwargs: object) -> ScopePermission:
        # DRF calls what it finds in permission_classes, once for each request.
        return ScopePermission(self.scope)


class ScopePermission(BasePermission):
    """What `HasScope` makes for one request."""

    code = "scope-missing"

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.message: str | None = None

    def has_permission(self, request: Request, view: object) -> bool:
        if not request.user.is_authenticated:
            return False
        self.message = self._fault(request)
        return self.message is None

    def _fault(self, request: Request) -> str | None:
        if getattr(request, "tenant", None) is None:
            if getattr(request, "suspended", None) is not None:
                return _("This tenant is suspended. Ask an administrator.")
            return _("You belong to no tenant. Ask an administrator to add you.")
        if isinstance(request.auth, ApiToken) and self.scope not in request.auth.scopes:
            return _("This token lacks the scope %(scope)s.") % {"scope": self.scope}
        return None


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the token."""

    target_class = "tenants.api.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, object]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": str(gettext_lazy("A token made under API tokens.")),
        }
