"""Sign in and out, choose the tenant and the language. All work without scripts."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
)
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants.middleware import SESSION_KEY
from tenants.models import Tenant, User


class LoginView(auth_views.LoginView):
    template_name = "tenants/login.html"
    redirect_authenticated_user = True


@require_POST
@login_required
def switch_tenant(request: HttpRequest) -> HttpResponse:
    """Enter another tenant: `key` in the form; a 404 for one that is not yours."""
    tenants = Tenant.objects.open_to(request.user)  # type: ignore[arg-type]
    tenant = tenants.filter(key=request.POST.get("key", "")).first()
    if tenant is None:
        raise Http404(_("There is no such tenant for you."))
    request.session[SESSION_KEY] = tenant.pk
    return HttpResponseRedirect(_next(request))


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Choose a language: kept with the user, or in a cookie for a visitor."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        known = ", ".join(dict(settings.LANGUAGES))
        text = _("The portal does not speak that language. Choose one of: %(known)s.")
        return HttpResponseBadRequest(text % {"known": known}, "text/plain")
    response = HttpResponseRedirect(_next(request))
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _next(request: HttpRequest) -> str:
    """Return the page to go back to, when it is ours; the home page otherwise."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else resolve_url(settings.LOGIN_REDIRECT_URL)
