"""Who may open a page of the portal at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def tenant_required(view: View[P]) -> View[P]:
    """Let a view run only for a signed-in user with an active tenant.

    A visitor is sent to the sign-in page; a user of no tenant gets a page that says
    so, with status 403.
    """

    @wraps(view)
    def guarded(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if getattr(request, "tenant", None) is None:
            return no_tenant_page(request)
        return view(request, *args, **kwargs)

    return login_required(guarded)


def no_tenant_page(request: HttpRequest) -> HttpResponse:
    """Say that nothing can be shown without an open tenant, and the way out."""
    suspended = getattr(request, "suspended", None)
    context = {"suspended": suspended}
    return render(request, "tenants/no_tenant.html", context, status=403)
