"""Addresses of readers."""

from django.urls import path

from menus.revealing import block_personal, hide_personal
from menus.views import (
    favourite_menu,
    first_steps,
    home,
    menu_block,
    menu_block_csv,
    open_menu,
)

urlpatterns = [
    path("", home, name="home"),
    path("first-steps/", first_steps, name="first-steps"),
    path("m/<slug:slug>/", open_menu, name="menu"),
    path("m/<slug:slug>/favourite/", favourite_menu, name="menu-favourite"),
    path("m/<slug:slug>/blocks/<slug:block>/", menu_block, name="menu-block"),
    path("m/<slug:slug>/hide-personal/", hide_personal, name="menu-hide-personal"),
    path(
        "m/<slug:slug>/blocks/<slug:block>/personal/",
        block_personal,
        name="menu-block-personal",
    ),
    path(
        "m/<slug:slug>/blocks/<slug:block>.csv", menu_block_csv, name="menu-block-csv"
    ),
]
