"""Make a token for the API."""

from __future__ import annotations

import json as json_format
from argparse import ArgumentParser
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.audit import record
from tenants.models import Tenant, TokenScope, User
from tenants.tokens import issue_token


class Command(BaseCommand):
    help = "Make an API token for a user in a tenant, and print it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="name the user signs in with")
        parser.add_argument("--tenant", metavar="KEY", required=True)
        parser.add_argument(
            "--scope",
            action="append",
            choices=TokenScope.values,
            help="what it may do; repeat for several (default: read)",
        )
        parser.add_argument("--days", type=int, default=30, help="1 to 366 (30)")
        parser.add_argument("--name", default="command line", help="what will use it")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(
        self,
        *,
        user: str,
        tenant: str,
        scope: list[str] | None,
        days: int,
        name: str,
        json: bool,
        **options: object,
    ) -> None:
        if not 1 <= days <= 366:
            raise CommandError(f"--days {days}: expected 1 to 366.")
        person, place = _who(user), _where(tenant)
        if not Tenant.objects.open_to(person).filter(pk=place.pk).exists():
            raise CommandError(f"{user} may not enter the tenant {tenant}.")
        try:
            token, secret = issue_token(
                person,
                tenant=place,
                name=name,
                scopes=scope or [TokenScope.READ.value],
                expires_at=timezone.now() + timedelta(days=days),
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        record(actor=None, action="apitoken.added", target=token)
        answer = {"token": secret, "expires_at": token.expires_at.isoformat()}
        self.stdout.write(json_format.dumps(answer) if json else secret)


def _who(username: str) -> User:
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise CommandError(f"No such active user: {username}.")
    return person


def _where(key: str) -> Tenant:
    place = Tenant.objects.filter(key=key, is_active=True).first()
    if place is None:
        raise CommandError(f"No such active tenant: {key}.")
    return place
