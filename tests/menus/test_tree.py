"""Every write holds the tree's lock, keeps the tree sound, and is audited."""

from __future__ import annotations

import random
from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections

from menus.models import Menu, MenuTree, TreeWriteRefused, tree_unlocked
from menus.numbering import first_tree_id
from menus.services import (
    TreeDamaged,
    create_menu,
    delete_menu,
    move_menu,
    repair_tree,
    step_menu,
    tree_damages,
    update_menu,
)
from tenants.models import AuditEntry, Tenant
from tenants.scope import using_tenant
from tests.menus.conftest import MakeMenu, named


def shape() -> list[tuple[str, int]]:
    return [(menu.slug, menu.level) for menu in Menu.objects.all()]


def test_menus_are_made_in_order_under_their_parents(make_menu: MakeMenu) -> None:
    top = make_menu("top")
    make_menu("second")
    make_menu("first-child", parent=top)
    make_menu("second-child", parent=top)

    assert shape() == [
        ("top", 0), ("first-child", 1), ("second-child", 1), ("second", 0),
    ]  # fmt: skip
    assert tree_damages() == ()


def test_a_menu_written_around_the_service_is_refused(make_menu: MakeMenu) -> None:
    menu = make_menu("top")

    with pytest.raises(TreeWriteRefused):
        menu.save()
    with pytest.raises(TreeWriteRefused):
        menu.delete()
    with pytest.raises(TreeWriteRefused):
        Menu.objects.filter(pk=menu.pk).update(slug="other")
    with pytest.raises(TreeWriteRefused):
        Menu.objects.all().delete()


def test_every_change_counts_the_stamp_up(make_menu: MakeMenu) -> None:
    menu = make_menu("top")
    before = MenuTree.objects.get().version

    update_menu(menu, actor=None, icon="home")

    assert MenuTree.objects.get().version == before + 1


def test_moving_before_a_sibling_into_a_group_and_to_the_top(
    make_menu: MakeMenu,
) -> None:
    a, b, c = make_menu("a"), make_menu("b"), make_menu("c")

    move_menu(c, actor=None, parent=None, before=a)
    move_menu(b, actor=None, parent=a)

    assert shape() == [("c", 0), ("a", 0), ("b", 1)]

    move_menu(b, actor=None, parent=None)

    assert shape() == [("c", 0), ("a", 0), ("b", 0)]
    assert tree_damages() == ()


def test_steps_stop_at_the_ends(make_menu: MakeMenu) -> None:
    make_menu("a")
    b = make_menu("b")

    step_menu(b, actor=None, down=False)
    assert [slug for slug, _ in shape()] == ["b", "a"]
    step_menu(b, actor=None, down=False)
    assert [slug for slug, _ in shape()] == ["b", "a"]
    step_menu(b, actor=None, down=True)
    assert [slug for slug, _ in shape()] == ["a", "b"]
    step_menu(b, actor=None, down=True)
    assert [slug for slug, _ in shape()] == ["a", "b"]


def test_a_menu_cannot_hang_under_itself(make_menu: MakeMenu) -> None:
    top = make_menu("top")
    below = make_menu("below", parent=top)

    with pytest.raises(ValidationError, match="under itself"):
        move_menu(top, actor=None, parent=below)
    with pytest.raises(ValidationError, match="under itself"):
        move_menu(top, actor=None, parent=top)


def test_the_sibling_to_stand_before_must_be_one(make_menu: MakeMenu) -> None:
    top, other = make_menu("top"), make_menu("other")
    below = make_menu("below", parent=top)

    with pytest.raises(ValidationError, match="not another child"):
        move_menu(other, actor=None, parent=None, before=below)


def test_deleting_takes_everything_below(make_menu: MakeMenu) -> None:
    top = make_menu("top")
    make_menu("below", parent=top)
    make_menu("beside")

    assert delete_menu(top, actor=None) == 2
    assert shape() == [("beside", 0)]
    assert tree_damages() == ()


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"slug": "taken"}, "slug"),
        ({"label": {}}, "blank"),
        ({"label": {"fr": "Météo"}}, "name"),
        ({"kind": "link", "url": "javascript:alert(1)"}, "address"),
        ({"kind": "link", "url": "//host/path"}, "address"),
        ({"kind": "link"}, "address"),
        ({"kind": "screen"}, "screen"),
    ],
)
def test_wrong_fields_are_refused_and_nothing_is_made(
    make_menu: MakeMenu, fields: dict[str, object], fault: str
) -> None:
    make_menu("taken")

    with pytest.raises(ValidationError, match=fault):
        make_menu(**{"slug": "new", **fields})

    assert shape() == [("taken", 0)]


def test_a_parent_of_another_tenant_is_not_found(
    make_menu: MakeMenu, foreign_menu: Menu
) -> None:
    with pytest.raises(Menu.DoesNotExist):
        make_menu("child", parent=foreign_menu)


def test_changes_are_audited_with_old_and_new(make_menu: MakeMenu) -> None:
    menu = make_menu("top")

    update_menu(menu, actor=None, icon="home", enabled=True)

    entry = AuditEntry.objects.get(action="menu.changed")
    assert entry.changes == {"icon": ["", "home"]}
    with pytest.raises(TypeError, match="tree_id"):
        update_menu(menu, actor=None, tree_id=3)


def test_tenants_number_their_trees_apart(
    make_menu: MakeMenu, acme: Tenant, globex: Tenant
) -> None:
    with using_tenant(globex):
        theirs = [
            create_menu(slug, label=named(slug), actor=None) for slug in ("x", "y")
        ]
        create_menu("z", label=named("z"), parent=theirs[0], actor=None)
    mine = [make_menu(slug) for slug in ("a", "b", "c")]

    move_menu(mine[2], actor=None, parent=None, before=mine[0])
    move_menu(mine[1], actor=None, parent=mine[0])

    assert min(Menu.objects.values_list("tree_id", flat=True)) == first_tree_id(acme.pk)
    assert tree_damages() == ()
    with using_tenant(globex):
        assert shape() == [("x", 0), ("z", 1), ("y", 0)]
        assert tree_damages() == ()


def test_damage_stops_the_next_change_and_repair_cures_it(make_menu: MakeMenu) -> None:
    top = make_menu("top")
    below = make_menu("below", parent=top)
    with tree_unlocked():
        Menu.objects.filter(pk=below.pk).update(lft=40, rght=41, level=3)

    with pytest.raises(TreeDamaged, match="check_menus --repair"):
        update_menu(top, actor=None, icon="home")
    assert Menu.objects.get(pk=top.pk).icon == ""

    assert [each.id for each in repair_tree()] == [below.pk]
    assert tree_damages() == ()
    assert repair_tree() == ()
    assert shape() == [("top", 0), ("below", 1)]


# SQLite's database in memory refuses a second writer instead of letting it wait.
@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_menus_moved_by_many_at_once_stay_a_tree() -> None:
    tenant = Tenant.objects.create(key="busy", name="Busy")
    with using_tenant(tenant):
        menus = [
            create_menu(f"m{number}", label=named(str(number)), actor=None)
            for number in range(12)
        ]
    threads, failures = 4, []
    start = Barrier(threads)

    def move_many(seed: int) -> None:
        choose = random.Random(seed)
        start.wait(timeout=20)
        try:
            with using_tenant(tenant):
                for number in range(12):
                    menu, parent = choose.sample(menus, 2)
                    try:
                        move_menu(
                            menu, actor=None, parent=choose.choice([parent, None])
                        )
                    except ValidationError:
                        continue
                    slug = f"t{seed}-{number}"
                    create_menu(slug, label=named(slug), parent=parent, actor=None)
        except Exception as error:  # noqa: BLE001  (shown below, in the main thread)
            failures.append(error)
        finally:
            connections.close_all()

    workers = [Thread(target=move_many, args=(seed,)) for seed in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)

    assert failures == []
    with using_tenant(tenant):
        assert tree_damages() == ()
        assert Menu.objects.count() > len(menus)
    connection.close()
