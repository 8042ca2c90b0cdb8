"""The portal's own migrations among all, and what each release had of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

Node = tuple[str, str]

# The newest migration of every app of ours at each release, oldest release first. A
# release adds one line; what a rollback leads back to is read from here.
RELEASES: Mapping[str, Mapping[str, str]] = {
    "0.1": {
        "branching": "0001_initial",
        "connectors": "0001_initial",
        "demo": "0001_initial",
        "menus": "0001_initial",
        "observability": "0001_initial",
        "screens": "0001_initial",
        "tenants": "0001_initial",
    },
}


def own_labels() -> frozenset[str]:
    """Name the apps that are part of this project, whichever are installed."""
    return frozenset(
        config.label for config in apps.get_app_configs() if _is_own(config)
    )


def _is_own(config: AppConfig) -> bool:
    base = Path(settings.BASE_DIR).resolve()
    path = Path(config.path).resolve()
    return path.is_relative_to(base) and "site-packages" not in path.parts


def disk_loader() -> MigrationLoader:
    """Read every migration from the files; no database is asked."""
    return MigrationLoader(None, ignore_no_migrations=True)


def leaves(loader: MigrationLoader, labels: Iterable[str]) -> list[Node]:
    """Return the newest migrations of these apps."""
    return [node for label in sorted(labels) for node in loader.graph.leaf_nodes(label)]


def release_nodes(loader: MigrationLoader, release: str) -> list[Node]:
    """Return the newest migrations of a release that this code has, too."""
    nodes = RELEASES[release].items()
    return [node for node in nodes if node in loader.graph.nodes]
