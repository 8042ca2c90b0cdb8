"""``check_menus`` finds damage in every tenant and repairs it."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from menus.models import Menu, tree_unlocked
from menus.services import tree_damages
from tests.menus.conftest import MakeMenu


def run(*options: str) -> str:
    out = StringIO()
    call_command("check_menus", *options, stdout=out)
    return out.getvalue()


def test_a_sound_tree_passes(make_menu: MakeMenu, foreign_menu: Menu) -> None:
    make_menu("top")

    assert run() == "Found 0 damaged menus in 2 tenants.\n"


def test_damage_is_named_and_repaired(make_menu: MakeMenu) -> None:
    menu = make_menu("top")
    with tree_unlocked():
        Menu.objects.filter(pk=menu.pk).update(rght=9)

    with pytest.raises(CommandError, match="1 menus are damaged"):
        run()
    answer = json.loads(run("--json", "--repair"))

    assert answer["tenants"]["acme"][0]["fault"] == "numbers"
    assert tree_damages() == ()
    assert run("--repair").startswith("Repaired 0")
