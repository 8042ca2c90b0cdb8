"""`tenant`: create, suspend, resume, limit, export, erase and list tenants."""

from __future__ import annotations

import json
import tempfile
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import translation

from tenants import lifecycle
from tenants.erasing import NotErased, check_erasable, erase_tenant
from tenants.exporting import Manifest, export_tenant
from tenants.models import Tenant
from tenants.quotas import Quota

_NO_LIMIT = "none"
_NOT_GIVEN = object()


def _limit(text: str) -> int | None:
    if text == _NO_LIMIT:
        return None
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


_limit.__name__ = "limit"  # argparse says "invalid limit value"


class Command(BaseCommand):
    help = (
        "Create, suspend, resume, limit, export, erase and list tenants. Every change "
        "is audited."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def verb(name: str, words: str) -> ArgumentParser:
            made: ArgumentParser = verbs.add_parser(name, help=words, description=words)
            made.add_argument("--json", action="store_true", help="one JSON value")
            if name != "list":
                made.add_argument("key", metavar="KEY", help="key of the tenant")
            return made

        create = verb("create", "Make a tenant without people or rows.")
        create.add_argument("--name", required=True, help="its name for people")
        self._add_limits(create)
        suspend = verb("suspend", "Close a tenant to members, tokens and jobs.")
        suspend.add_argument("--reason", required=True, help="kept in the audit trail")
        verb("resume", "Open a suspended tenant again.")
        self._add_limits(verb("quota", "Show a tenant's use, and set its limits."))
        export = verb("export", "Write everything of a tenant into a ZIP archive.")
        export.add_argument("--to", required=True, type=Path, metavar="FILE")
        export.add_argument(
            "--personal-data-reason",
            default="",
            metavar="TEXT",
            help="include names and e-mail; the reason is audited",
        )
        erase = verb("erase", "Delete everything of a suspended tenant, with proof.")
        erase.add_argument("--confirm", required=True, help="the key once more")
        erase.add_argument("--reason", required=True, help="kept in the certificate")
        erase.add_argument("--export", type=Path, metavar="FILE", help="export first")
        verb("list", "List all tenants with state, use and limits.")

    def _add_limits(self, parser: ArgumentParser) -> None:
        for name, words in (
            ("queries", "calls of operations a day"),
            ("rows", "rows that operations give back a day"),
            ("storage", "bytes in the portal's own database"),
        ):
            parser.add_argument(
                f"--{name}",
                type=_limit,
                default=_NOT_GIVEN,
                metavar="N",
                help=f"{words}; a number, or {_NO_LIMIT!r} for no limit",
            )

    def handle(self, *, verb: str, json: bool, **options: Any) -> None:
        try:
            # What a command says is English, as its help; rules speak the portal's.
            with translation.override("en"):
                said, value = self._done(verb, options)
        except (NotErased, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_as_json(value) if json else said)

    def _done(self, verb: str, options: dict[str, Any]) -> tuple[str, object]:
        try:
            done: tuple[str, object] = getattr(self, f"_{verb}")(**options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        return done

    def _create(self, *, key: str, name: str, **options: Any) -> tuple[str, object]:
        tenant = lifecycle.create_tenant(key, name=name, quota=_quota(Quota(), options))
        return f"Created tenant {key}.", _told(tenant)

    def _suspend(self, *, key: str, reason: str, **_: Any) -> tuple[str, object]:
        tenant = _tenant(key)
        new = lifecycle.suspend(tenant, reason=reason)
        words = "Suspended" if new else "Already suspended:"
        return f"{words} tenant {key}.", _told(tenant)

    def _resume(self, *, key: str, **_: Any) -> tuple[str, object]:
        tenant = _tenant(key)
        new = lifecycle.resume(tenant)
        return f"{'Resumed' if new else 'Already open:'} tenant {key}.", _told(tenant)

    def _quota(self, *, key: str, **options: Any) -> tuple[str, object]:
        tenant = _tenant(key)
        wanted = _quota(tenant.quota(), options)
        if wanted != tenant.quota():
            lifecycle.set_quota(tenant, wanted)
        return _line(tenant), _told(tenant)

    def _export(
        self, *, key: str, to: Path, personal_data_reason: str, **_: Any
    ) -> tuple[str, object]:
        manifest = _write_export(_tenant(key), to, reason=personal_data_reason)
        said = f"Wrote {len(manifest.files)} files of tenant {key} to {to}."
        return said, manifest.as_json()

    def _erase(
        self, *, key: str, confirm: str, reason: str, export: Path | None, **_: Any
    ) -> tuple[str, object]:
        tenant = _tenant(key)
        check_erasable(tenant, typed=confirm)
        if export is not None:
            _write_export(tenant, export, reason=f"Erasure: {reason}")
        erasure = erase_tenant(tenant, typed=confirm, reason=reason)
        rows = sum(erasure.certificate["counts_before"].values())
        said = (
            f"Erased tenant {key}: {rows} rows before, 0 after in "
            f"{len(erasure.certificate['counts_after'])} tables. Certificate "
            f"{erasure.pk}, SHA-256 {erasure.certificate['sha256']}."
        )
        return said, {**erasure.certificate, "signature": erasure.signature}

    def _list(self, **_: Any) -> tuple[str, object]:
        tenants = list(Tenant.objects.order_by("key"))
        lines = [_line(tenant) for tenant in tenants] or ["There are no tenants yet."]
        return "\n".join(lines), [_told(tenant) for tenant in tenants]


def _tenant(key: str) -> Tenant:
    tenant = Tenant.objects.filter(key=key).first()
    if tenant is None:
        raise CommandError(
            f"No such tenant: {key}. Run manage.py tenant list to see all of them."
        )
    return tenant


def _quota(before: Quota, options: dict[str, Any]) -> Quota:
    """Lay the limits that were given over those before."""
    told = {
        name: options[name]
        for name in asdict(before)
        if options[name] is not _NOT_GIVEN
    }
    return Quota(**{**asdict(before), **told})


def _told(tenant: Tenant) -> dict[str, object]:
    use = lifecycle.use_today(tenant)
    return {
        "key": tenant.key,
        "name": tenant.name,
        "active": tenant.is_active,
        "suspended_at": tenant.suspended_at,
        "suspension_reason": tenant.suspension_reason,
        "quota": asdict(tenant.quota()),
        "use": asdict(use),
    }


def _line(tenant: Tenant) -> str:
    use, quota = asdict(lifecycle.use_today(tenant)), asdict(tenant.quota())
    state = "open" if tenant.is_active else "suspended"
    parts = [
        f"{name} {_figure(use[name])} of {_figure(quota[name], missing='no limit')}"
        for name in use
    ]
    return f"{tenant.key} ({tenant.name}), {state}: {', '.join(parts)}"


def _figure(number: int | None, *, missing: str = "not measured") -> str:
    return missing if number is None else f"{number:,}"


def _as_json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _write_export(tenant: Tenant, to: Path, *, reason: str) -> Manifest:
    """Write an archive that appears only when it is whole; nobody else may read it."""
    with tempfile.NamedTemporaryFile(dir=to.parent, delete=False) as file:
        try:
            manifest = export_tenant(tenant, file, personal_data_reason=reason)
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(to)
    return manifest
