"""The drawing of the migrations is true."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.migrating import graph
from config.migrating.history import RELEASES, disk_loader, own_labels


def test_the_document_shows_the_migrations_there_are() -> None:
    assert graph.is_current(), "run: .venv/bin/python manage.py migrations_graph"


def test_every_own_migration_is_drawn_with_what_it_stands_on() -> None:
    drawn = graph.read_graph()
    loader = disk_loader()

    own = {node for node in loader.graph.nodes if node[0] in own_labels()}
    assert {(app, name) for app, names in drawn.nodes.items() for name in names} == own
    expected = {
        (node, parent.key)
        for node in own
        for parent in loader.graph.node_map[node].parents
        if parent.key in own
    }
    assert set(drawn.edges) == expected
    text = graph.as_mermaid(drawn)
    assert all(f'["{name}"]' in text for _, name in own)
    assert text.count(" --> ") == len(expected)


def test_every_release_names_migrations_that_exist() -> None:
    nodes = disk_loader().graph.nodes

    named = {node for newest in RELEASES.values() for node in newest.items()}
    assert named - set(nodes) == set()


def test_a_stale_document_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "docs" / "migrations.md"
    page.parent.mkdir()
    page.write_text("of yesterday")
    monkeypatch.setattr(graph, "page_path", lambda: page)

    with pytest.raises(CommandError, match="stale"):
        call_command("migrations_graph", check=True)
    call_command("migrations_graph", stdout=StringIO())
    out = StringIO()
    call_command("migrations_graph", check=True, stdout=out)

    assert "current" in out.getvalue()


def test_dot_is_printed() -> None:
    out = StringIO()

    call_command("migrations_graph", format="dot", stdout=out)

    assert out.getvalue().startswith("digraph migrations {")
    assert "tenants_0001_initial" in out.getvalue()
    with pytest.raises(CommandError, match="--format"):
        call_command("migrations_graph", format="dot", check=True)
