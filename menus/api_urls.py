"""Addresses of the readers' API."""

from django.urls import path

from menus.api import export_block, list_menus, read_menu, run_block, run_menu

urlpatterns = [
    path("menus/", list_menus, name="api-menus"),
    path("menus/<slug:slug>/", read_menu, name="api-menu"),
    path("menus/<slug:slug>/run/", run_menu, name="api-menu-run"),
    path("menus/<slug:slug>/blocks/<slug:block>/", run_block, name="api-menu-block"),
    path(
        "menus/<slug:slug>/blocks/<slug:block>.csv",
        export_block,
        name="api-menu-block-csv",
    ),
]
