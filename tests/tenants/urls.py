"""The portal's addresses, and three more that tell what a view sees."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone, translation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import urlpatterns as portal
from tenants.access import tenant_required
from tenants.api import HasScope
from tenants.scope import Actor, active_tenant_id


def what_i_see(request: HttpRequest) -> JsonResponse:
    tenant = getattr(request, "tenant", None)
    return JsonResponse(
        {
            "tenant": tenant.key if tenant else None,
            "scope": active_tenant_id(),
            "language": translation.get_language(),
            "zone": timezone.get_current_timezone_name(),
        }
    )


@tenant_required
def members_only(request: HttpRequest, word: str) -> HttpResponse:
    return HttpResponse(f"{word} {active_tenant_id()}")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        yield str(active_tenant_id())

    return StreamingHttpResponse(body())


def fail(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


class ReadingView(APIView):
    permission_classes = [HasScope("read")]

    def get(self, request: Request) -> Response:
        actor = Actor.of(request._request)
        return Response(
            {
                "user": actor.user_id,
                "tenant": actor.tenant_id,
                "same": Actor.of(request) == actor,
                "scope": active_tenant_id(),
                "language": translation.get_language(),
            }
        )


urlpatterns = [
    path("test/what-i-see/", what_i_see),
    path("test/members-only/<str:word>/", members_only),
    path("test/stream/", stream),
    path("test/fail/", fail),
    path("test/api/", ReadingView.as_view()),
    *portal,
]
