"""Open a screen from the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from connectors.messages import argument_error
from screens import frame, terminal
from screens.models import Screen
from screens.services import NotPublished, OpenPage, open_screen, outcome_as_json
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant


class Command(BaseCommand):
    help = "Run the published version of a screen as a user, and print its blocks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help="key of the screen")
        parser.add_argument("--as", dest="user", required=True, metavar="USER")
        parser.add_argument("--tenant", metavar="KEY", help="needed with several")
        parser.add_argument(
            "--arg", action="append", default=[], metavar="NAME=VALUE", dest="given"
        )
        parser.add_argument("--format", choices=["text", "json", "html"])
        parser.add_argument("--json", action="store_true", help="as --format json")

    def handle(self, *, key: str, user: str, **options: Any) -> None:
        person = User.objects.filter(username=user, is_active=True).first()
        if person is None:
            raise CommandError(f"No active user {user!r}.")
        tenant = _tenant_of(person, options["tenant"])
        written = "json" if options["json"] else options["format"] or "text"
        with (
            using_tenant(tenant),
            translation.override(person.language),
            timezone.override(person.time_zone),
        ):
            actor = Actor(user_id=person.pk, tenant_id=tenant.pk)
            with _open(key, options["given"], actor) as page:
                failed = self._write(page, written)
        if failed:
            raise CommandError(f"{failed} block(s) failed.", returncode=1)

    def _write(self, page: OpenPage, written: str) -> int:
        """Print the blocks; return how many failed."""
        progress = terminal.Progress(len(page.blocks), self.stderr)
        found = {}
        for drawn in page:
            found[drawn.block.id] = drawn
            progress.step(drawn)
        ordered = [found[block.id] for block in page.blocks]
        match written:
            case "json":
                body = {
                    "screen": page.key,
                    "version": page.version,
                    "title": page.title(),
                    "blocks": [outcome_as_json(d.block, d.response) for d in ordered],
                }
                self.stdout.write(json.dumps(body, ensure_ascii=False, indent=2))
            case "html":
                for drawn in ordered:
                    self.stdout.write(page.in_context(frame.card, page, drawn))
            case _:
                self.stdout.write(page.title())
                for drawn in ordered:
                    self.stdout.write(page.in_context(terminal.as_text, page, drawn))
        return sum(drawn.failed for drawn in ordered)


def _tenant_of(person: User, key: str | None) -> Tenant:
    tenants = Tenant.objects.filter(is_active=True)
    if not person.is_superuser:
        tenants = tenants.filter(memberships__user=person)
    if key is not None:
        tenants = tenants.filter(key=key)
    found = list(tenants[:2])
    if not found:
        raise CommandError(f"{person} belongs to no such tenant.")
    if len(found) > 1:
        raise CommandError("Several tenants are possible: name one with --tenant.")
    return found[0]


def _open(key: str, given: list[str], actor: Actor) -> OpenPage:
    screen = Screen.objects.with_published().filter(key=key).first()
    if screen is None:
        raise CommandError(f"No screen {key!r} in this tenant.")
    try:
        page = open_screen(screen, arguments=_arguments(given), actor=actor)
    except NotPublished as error:
        raise CommandError(str(error)) from error
    if isinstance(page, tuple):
        raise CommandError(" ".join(argument_error(each) for each in page))
    return page


def _arguments(given: list[str]) -> dict[str, list[str]]:
    arguments: dict[str, list[str]] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise CommandError(f"--arg {each!r}: expected NAME=VALUE.")
        arguments.setdefault(name, []).append(value)
    return arguments
