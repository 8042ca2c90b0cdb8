"""Addresses of signing in and out, and of the choices in the header."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from tenants.views import LoginView, set_language, switch_tenant

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("switch-tenant/", switch_tenant, name="switch-tenant"),
    path("set-language/", set_language, name="set-language"),
]
