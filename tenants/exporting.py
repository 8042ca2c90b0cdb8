"""Everything of one tenant as a ZIP archive: JSON lines for each model, a manifest.

Rows are read and written one after another, so memory does not grow with them, and two
exports of the same state hold the same bytes, apart from the moment.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants.audit import record
from tenants.holdings import hanging, plain, rows_of, tenant_models
from tenants.models import Tenant, User

FORMAT = 1
_CHUNK = 500
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PUBLIC_OF_USERS = ("id", "is_active", "language", "time_zone", "date_joined")
_PERSONAL_OF_USERS = ("username", "first_name", "last_name", "email")


@dataclass
class Manifest:
    """What an archive holds, as it is written into it.

    Attributes:
        files: Rows and SHA-256 by name.
        left_out: Fields that are in no file, by model; with the reason beside.
    """

    tenant: str
    made_at: str
    personal_data: bool
    migrations: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, object]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {"format": FORMAT, **self.__dict__}


def export_tenant(
    tenant: Tenant,
    to: IO[bytes],
    *,
    personal_data_reason: str = "",
    by: User | None = None,
) -> Manifest:
    """Write the tenant's archive; sealed secrets are never in it.

    Args:
        personal_data_reason: Why names, addresses and e-mail are included; "" leaves
            them out. It is kept in the audit trail.

    Raises:
        ValidationError: the reason holds nothing but blanks.
    """
    if personal_data_reason and not personal_data_reason.strip():
        raise ValidationError(_("Say why personal data is exported."))
    with_people = bool(personal_data_reason)
    manifest = Manifest(tenant.key, timezone.now().isoformat(), with_people)
    with transaction.atomic():
        manifest.migrations = _migrations()
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, lines in _files(tenant, manifest):
                manifest.files[name] = _write(archive, name, lines)
            text = json.dumps(manifest.as_json(), ensure_ascii=False, indent=2)
            _write(archive, "manifest.json", [text])
    changes: dict[str, object] = {"files": len(manifest.files)}
    if with_people:
        changes["personal data for"] = personal_data_reason.strip()
    record(
        actor=None,
        user_id=by.pk if by else None,
        action="tenant.exported",
        target=tenant,
        changes=changes,
    )
    return manifest


def _migrations() -> dict[str, str]:
    """Return the newest applied migration of every app: the version of the schema."""
    applied = MigrationRecorder(connection).migration_qs.order_by("app", "name")
    return dict(applied.values_list("app", "name"))


def _files(tenant: Tenant, manifest: Manifest) -> Iterator[tuple[str, Iterator[str]]]:
    yield "tenant.jsonl", _lines(plain(Tenant).filter(pk=tenant.pk), manifest)
    yield "users.jsonl", _people(tenant, manifest)
    for model in tenant_models():
        rows = rows_of(model, tenant.pk)
        yield f"rows/{model._meta.label}.jsonl", _lines(rows, manifest)
    for each in hanging():
        name = f"links/{each.model._meta.label}.{each.field}.jsonl"
        yield name, _lines(each.rows(tenant.pk), manifest)


def _people(tenant: Tenant, manifest: Manifest) -> Iterator[str]:
    names = [*_PUBLIC_OF_USERS]
    left_out = {"password": "secret", "last_login": "personal"}
    if manifest.personal_data:
        names += [*_PERSONAL_OF_USERS, "last_login"]
        del left_out["last_login"]
    else:
        left_out |= dict.fromkeys(_PERSONAL_OF_USERS, "personal")
    manifest.left_out[User._meta.label] = left_out
    users = User.objects.filter(memberships__tenant=tenant).order_by("pk")
    for values in users.values(*names).iterator(chunk_size=_CHUNK):
        yield _line(values)


def _lines(rows: models.QuerySet[Any], manifest: Manifest) -> Iterator[str]:
    model = rows.model
    left_out = dict.fromkeys(getattr(model, "sealed_fields", ()), "secret")
    if not manifest.personal_data:
        personal = getattr(model, "fields_about_people", ())
        left_out |= dict.fromkeys(personal, "personal")
    if left_out:
        manifest.left_out[model._meta.label] = left_out
    fields = [each for each in model._meta.concrete_fields if each.name not in left_out]
    for row in rows.order_by("pk").iterator(chunk_size=_CHUNK):
        yield _line({each.attname: each.value_from_object(row) for each in fields})


class _Encoder(DjangoJSONEncoder):
    """Django's, and bytes as base64."""

    def default(self, o: Any) -> Any:
        if isinstance(o, (bytes, memoryview)):
            return base64.b64encode(o).decode()
        return super().default(o)


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, cls=_Encoder, ensure_ascii=False, sort_keys=True)


def _write(
    archive: zipfile.ZipFile, name: str, lines: Iterable[str]
) -> dict[str, object]:
    """Write one file line by line; return its rows and its SHA-256."""
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    digest, rows = hashlib.sha256(), 0
    with archive.open(entry, "w", force_zip64=True) as file:
        for line in lines:
            data = line.encode() + b"\n"
            file.write(data)
            digest.update(data)
            rows += 1
    return {"rows": rows, "sha256": digest.hexdigest()}
