"""Health, metrics, and the dashboard of service levels."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from observability import health
from observability.dashboard import WINDOWS
from observability.dashboard_page import dashboard
from observability.exposition import CONTENT_TYPE, exposition
from observability.services import recorder

HOURS = {str(hours): hours for hours in WINDOWS}


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process lives; asks nobody."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when requests can be served, 503 with the check that says no."""
    checks = health.readiness()
    ready = all(answer == health.OK for answer in checks.values())
    body = {"status": "ready" if ready else "not ready", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text, for the bearer of the metrics token and for superusers."""
    if not _may_scrape(request):
        refusal = _("Give the metrics token as a bearer token.")
        return HttpResponse(
            refusal,
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
        )
    return HttpResponse(exposition(recorder), content_type=CONTENT_TYPE)


def _may_scrape(request: HttpRequest) -> bool:
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = settings.SIGNALBOX_METRICS_TOKEN
        return bool(token) and constant_time_compare(given.strip(), token)
    return request.user.is_active and request.user.is_superuser


@require_safe
@staff_member_required
def latency(request: HttpRequest) -> HttpResponse:
    """The dashboard: objectives first, then what was measured, of the active tenant."""
    tenant = getattr(request, "tenant", None)
    context = {**admin.site.each_context(request), "title": _("Service levels")}
    if tenant is not None:
        asked = request.GET
        context |= dashboard(
            tenant.pk,
            hours=HOURS.get(asked.get("hours", ""), WINDOWS[0]),
            kind=asked.get("kind", ""),
            order=asked.get("order", ""),
            now=timezone.now(),
        )
    return render(request, "observability/dashboard.html", context)
