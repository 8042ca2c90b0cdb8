"""Draw the migrations."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from config.migrating import graph


class Command(BaseCommand):
    help = (
        "Write docs/migrations.md: the graph of the portal's own migrations, and how "
        "to deploy and roll back. Asks no database. With --check nothing is written, "
        "and exit status 1 says that the document is stale."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--format",
            choices=graph.FORMATS,
            default="mermaid",
            help="mermaid writes the document (default); dot prints the graph alone",
        )
        parser.add_argument("--check", action="store_true", help="only compare")

    def handle(self, *, format: str, check: bool, **options: object) -> None:  # noqa: A002
        if format == "dot":
            if check:
                raise CommandError("--check compares the document: leave --format out.")
            self.stdout.write(graph.as_dot(graph.read_graph()))
            return
        name = graph.page_path().relative_to(graph.page_path().parents[1])
        if not check:
            graph.page_path().write_text(
                graph.page(graph.read_graph()), encoding="utf-8"
            )
            self.stdout.write(f"Wrote {name}.")
        elif graph.is_current():
            self.stdout.write(f"{name} is current.")
        else:
            raise CommandError(f"{name} is stale. Run: manage.py migrations_graph")
