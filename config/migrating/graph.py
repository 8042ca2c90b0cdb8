"""The migrations as a drawing: which stands on which, app by app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from config.migrating.history import RELEASES, Node, disk_loader, own_labels

FORMATS = ("mermaid", "dot")
_NOTICE = "<!-- Made by `manage.py migrations_graph`; do not edit. -->"
_TEXT = """\
# Migrations

Every migration of the portal's own apps, and what it stands on. An app that
comes as a package is one circle. Arrows lead from a migration to what must be applied
before it.

## Deploy

1. `python manage.py migrations_plan` says what this code would run on the configured
   database, with its SQL, the locks it takes, and whether readers can stay meanwhile.
2. Take a backup.
3. `python manage.py migrate`, as a step of its own, before new web processes start.
   `/readyz` answers 503 while a migration is missing.

## Roll back

1. Stop what runs the new code.
2. Still with the new code, go back app by app, the upper floors first, to the
   migrations of the release before: `python manage.py migrate menus 0001_initial`.
   `zero` takes an app away that the release did not have.
3. Start the old code.

`python manage.py migrations_verify --engines sqlite,postgresql` rehearses both on
scratch databases: every migration forward, back and forward again with rows and the
catalogues compared, then the way back to the last release and to nothing. The tests run
it on both engines.
"""


@dataclass(frozen=True, slots=True)
class Graph:
    """Own migrations and their edges.

    Attributes:
        nodes: Names of migrations by app, both in order.
        edges: From a migration to one of ours it depends on.
        foreign: From a migration to another's app it depends on.
    """

    nodes: dict[str, tuple[str, ...]]
    edges: tuple[tuple[Node, Node], ...]
    foreign: tuple[tuple[Node, str], ...]


def read_graph(loader: MigrationLoader | None = None) -> Graph:
    """Read the graph from the migration files; no database is asked."""
    loader = loader or disk_loader()
    own = own_labels()
    nodes: dict[str, list[str]] = {}
    edges: set[tuple[Node, Node]] = set()
    foreign: set[tuple[Node, str]] = set()
    for node in sorted(loader.graph.nodes):
        if node[0] not in own:
            continue
        nodes.setdefault(node[0], []).append(node[1])
        for parent in loader.graph.node_map[node].parents:
            if parent.key[0] in own:
                edges.add((node, parent.key))
            else:
                foreign.add((node, parent.key[0]))
    named = {label: tuple(names) for label, names in nodes.items()}
    return Graph(named, tuple(sorted(edges)), tuple(sorted(foreign)))


def as_mermaid(graph: Graph) -> str:
    """Draw with Mermaid: a cluster an app."""
    lines = ["flowchart RL"]
    for label, names in graph.nodes.items():
        lines.append(f"  subgraph {label}")
        lines += [f'    {_id((label, name))}["{name}"]' for name in names]
        lines.append("  end")
    lines += [f"  {label}(({label}))" for label in _foreign_labels(graph)]
    lines += [f"  {_id(node)} --> {_id(parent)}" for node, parent in graph.edges]
    lines += [f"  {_id(node)} -.-> {label}" for node, label in graph.foreign]
    return "\n".join(lines)


def as_dot(graph: Graph) -> str:
    """Draw with Graphviz: a cluster an app."""
    lines = ["digraph migrations {", "  rankdir=RL;", "  node [shape=box];"]
    for label, names in graph.nodes.items():
        lines.append(f"  subgraph cluster_{label} {{")
        lines.append(f'    label="{label}";')
        lines += [f'    {_id((label, name))} [label="{name}"];' for name in names]
        lines.append("  }")
    lines += [f"  {label} [shape=ellipse];" for label in _foreign_labels(graph)]
    lines += [f"  {_id(node)} -> {_id(parent)};" for node, parent in graph.edges]
    lines += [
        f"  {_id(node)} -> {label} [style=dashed];" for node, label in graph.foreign
    ]
    return "\n".join([*lines, "}"])


def page(graph: Graph) -> str:
    """Return the document: how to deploy and roll back, the releases, the drawing."""
    return "\n".join(
        [
            _NOTICE,
            "",
            _TEXT,
            "## Releases",
            "",
            "| Release | Newest migration of each app |",
            "| --- | --- |",
            *_release_rows(),
            "",
            "## The graph",
            "",
            "```mermaid",
            as_mermaid(graph),
            "```",
            "",
        ]
    )


def page_path() -> Path:
    return Path(settings.BASE_DIR) / "docs" / "migrations.md"


def is_current() -> bool:
    """Say whether the document shows the migrations there are."""
    path = page_path()
    return path.exists() and path.read_text(encoding="utf-8") == page(read_graph())


def _release_rows() -> Iterator[str]:
    for release, newest in RELEASES.items():
        nodes = ", ".join(f"`{label}.{name}`" for label, name in newest.items())
        yield f"| {release} | {nodes} |"


def _id(node: Node) -> str:
    return f"{node[0]}_{node[1]}"


def _foreign_labels(graph: Graph) -> list[str]:
    return sorted({label for _, label in graph.foreign})
