"""The nested set's numbers are computed from parents, and damage is named."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from menus.numbering import Damage, Fault, Row, damages, first_tree_id, renumbered

TENANT = 7


@st.composite
def scrambled_rows(draw: st.DrawFn) -> list[Row]:
    size = draw(st.integers(0, 12))
    numbers = st.integers(0, 20)
    return [
        Row(
            id=key,
            parent_id=draw(st.one_of(st.none(), st.integers(1, 13))),
            tree_id=draw(st.integers(0, 4)),
            left=draw(numbers),
            right=draw(numbers),
            level=draw(numbers),
        )
        for key in range(1, size + 1)
    ]


@given(rows=scrambled_rows())
def test_renumbered_rows_are_sound_whatever_they_were(rows: list[Row]) -> None:
    repaired = renumbered(rows, tenant_id=TENANT)

    assert damages(repaired, tenant_id=TENANT) == ()
    assert {row.id for row in repaired} == {row.id for row in rows}


@given(rows=scrambled_rows())
def test_a_sound_tree_nests_its_numbers_as_its_parents_say(rows: list[Row]) -> None:
    repaired = renumbered(rows, tenant_id=TENANT)

    by_id = {row.id: row for row in repaired}
    for row in repaired:
        inside = {
            other.id
            for other in repaired
            if other.tree_id == row.tree_id and row.left < other.left < row.right
        }
        assert inside == {
            other.id for other in repaired if _is_below(other, row, by_id)
        }
        assert row.right - row.left == 2 * len(inside) + 1


def _is_below(row: Row, top: Row, by_id: dict[int, Row]) -> bool:
    while row.parent_id is not None:
        row = by_id[row.parent_id]
        if row.id == top.id:
            return True
    return False


@given(rows=scrambled_rows(), data=st.data())
def test_changing_one_number_is_noticed(rows: list[Row], data: st.DataObject) -> None:
    repaired = list(renumbered(rows, tenant_id=TENANT))
    if not repaired:
        return
    index = data.draw(st.integers(0, len(repaired) - 1))
    field = data.draw(st.sampled_from(["left", "right", "level"]))
    row = repaired[index]
    repaired[index] = replace(row, **{field: getattr(row, field) + 1})

    assert damages(repaired, tenant_id=TENANT) != ()


def test_a_tree_id_of_another_tenants_band_is_damage() -> None:
    row = Row(1, None, first_tree_id(TENANT + 1), 1, 2, 0)

    assert damages([row], tenant_id=TENANT) == (Damage(1, Fault.NUMBERS),)


def test_circles_and_foreign_parents_are_named() -> None:
    rows = [Row(1, 2, 0, 1, 2, 0), Row(2, 1, 0, 1, 2, 0), Row(3, 44, 0, 1, 2, 0)]

    assert damages(rows, tenant_id=TENANT) == (
        Damage(1, Fault.CIRCLE),
        Damage(2, Fault.CIRCLE),
        Damage(3, Fault.FOREIGN_PARENT),
    )


def test_two_top_menus_never_share_a_tree_id() -> None:
    tree = first_tree_id(TENANT)
    rows = [Row(1, None, tree, 1, 2, 0), Row(2, None, tree, 1, 2, 0)]

    assert len(damages(rows, tenant_id=TENANT)) == 2
