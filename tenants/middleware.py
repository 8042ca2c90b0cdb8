"""Open the tenant's scope, and the user's language and zone, for one request."""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.db import DataError
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.middleware import locale
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from tenants.models import Tenant, User
from tenants.scope import enter_tenant, guarding_scope

SESSION_KEY = "tenant_id"

logger = logging.getLogger(__name__)


class UnstorableMiddleware:
    """Answer 400 where a visitor sent what no database can hold.

    PostgreSQL keeps no NUL in a text, no number beyond its type, and no half of a
    surrogate pair: in an address, a form or a cookie these are the sender's mistake
    and no failure of ours. Stands before the middleware that reads the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name in [name for name, text in request.COOKIES.items() if "\0" in text]:
            del request.COOKIES[name]
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if not isinstance(exception, (DataError, UnicodeEncodeError, OverflowError)):
            return None
        logger.warning("A value could not be stored.", exc_info=exception)
        text = _(
            "Something you sent cannot be stored or searched for: a character that "
            "is no text, or a value that is too large. Go back and correct it."
        )
        return HttpResponseBadRequest(text, content_type="text/plain; charset=utf-8")


class LocaleMiddleware(locale.LocaleMiddleware):
    """Django's, except that a signed-in user's own language and zone win."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if isinstance(request.user, User):
            activate_preferences(request, request.user)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        timezone.deactivate()
        return super().process_response(request, response)


def activate_preferences(request: HttpRequest, user: User) -> None:
    """Speak the user's language, and show times in the user's zone."""
    if user.language in dict(settings.LANGUAGES):
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language()
    try:
        timezone.activate(zoneinfo.ZoneInfo(user.time_zone))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        # A name that was written past the form: the portal's own zone stays.
        timezone.deactivate()


class TenantMiddleware:
    """Set ``request.tenant`` and keep its scope open during the view.

    The scope is closed before a streamed body is read: who streams opens its own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with guarding_scope():
            found = tenant_of(request)
            suspended = found is not None and not found.is_active
            request.suspended = found if suspended else None  # type: ignore[attr-defined]
            request.tenant = None if suspended else found  # type: ignore[attr-defined]
            request.scope_is_guarded = True  # type: ignore[attr-defined]
            if request.tenant is not None:  # type: ignore[attr-defined]
                enter_tenant(request.tenant)  # type: ignore[attr-defined]
            return self.get_response(request)


def tenant_of(request: HttpRequest) -> Tenant | None:
    """Return the tenant chosen in the session if the user may enter it, else the
    first open one the user belongs to. One query; none for a visitor.

    A suspended tenant is returned where it was chosen, so that nobody works on in
    another one unawares, and where the user belongs to no open one.
    """
    user = request.user
    if not isinstance(user, User):
        return None
    chosen = request.session.get(SESSION_KEY)
    mine = Tenant.objects.filter(memberships__user=user)
    if user.is_superuser and chosen is not None:
        mine = mine | Tenant.objects.filter(pk=chosen)
    chosen_first = Case(
        When(pk=chosen, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return mine.order_by(chosen_first, "-is_active", "name", "pk").first()
