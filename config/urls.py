"""Every address of the portal."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.system import system

# The viewer of the API's document writes one style element; scripts stay strict.
api_docs = csp_replace({"style-src": [SELF, UNSAFE_INLINE]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema")
)


def page_not_found(request: HttpRequest, **arguments: str) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("", include("tenants.urls")),
    path("", include("observability.urls")),
    # Django's redirect to any row by its number asks for no tenant and no permission.
    path("admin/r/<path:row>", page_not_found),
    path("admin/", admin.site.urls),
    path("admin-tools/system/", system, name="system"),
    path("screens/", include("copilot.urls")),
    path("screens/", include("screens.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", api_docs, name="api-docs"),
    path("api/", include("menus.api_urls")),
    path("", include("menus.urls")),
]
