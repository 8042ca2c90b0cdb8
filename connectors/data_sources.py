"""What operations call: an HTTP service, a SQL database, or the portal itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors import rules, secrets
from connectors.specs import (
    DEFAULT_MAX_BODY_BYTES,
    AuthKind,
    SourceKind,
    SourceSpec,
    TableSpec,
    TenantValue,
)
from tenants.models import TenantModel
from tenants.scope import WrongTenant

LONGEST_CALL_MS = 600_000
SUSPENDED = "tenant-suspended"


def validate_label(value: object) -> None:
    """Refuse a label that is not texts by language."""
    rules.check_label(value)


def validate_names(value: object) -> None:
    """Refuse what is not a list of names."""
    rules.check_names(value)


def milliseconds(name: Any, default: int, help_text: Any) -> Any:
    """Make a field of 1 ms to ten minutes."""
    return models.PositiveIntegerField(
        name,
        default=default,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_CALL_MS)],
        help_text=help_text,
    )


class DataSource(TenantModel):
    """A service or a database that operations call."""

    class Kind(models.TextChoices):
        HTTP = SourceKind.HTTP.value, _("HTTP service")
        SQL = SourceKind.SQL.value, _("SQL database, read only")
        PORTAL = SourceKind.PORTAL.value, _("the portal's own numbers")

    class Auth(models.TextChoices):
        NONE = AuthKind.NONE.value, _("none")
        BASIC = AuthKind.BASIC.value, _("user and password (Basic)")
        BEARER = AuthKind.BEARER.value, _("bearer token")
        API_KEY_HEADER = AuthKind.API_KEY_HEADER.value, _("API key in a header")
        API_KEY_QUERY = AuthKind.API_KEY_QUERY.value, _("API key in the query")

    sealed_fields = ("secret", "secret_hint")

    key = models.SlugField(
        _("key"),
        max_length=80,
        help_text=_("Name used by operations, messages and figures, such as weather."),
    )
    label = models.JSONField(
        _("label"),
        default=dict,
        blank=True,
        validators=[validate_label],
        help_text=_('Name for people by language: {"ko": "날씨", "en": "Weather"}.'),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    address = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        help_text=_(
            "HTTP: https://host/base. SQL: postgresql://user@host:5432/name, "
            "mysql://user@host:3306/name, mariadb://user@host:3306/name or "
            "sqlite:////path/file.sqlite3. Never with a password: that is the secret. "
            "Leave it empty for the portal's own numbers."
        ),
    )
    auth = models.CharField(
        _("authentication"), max_length=16, choices=Auth.choices, default=Auth.NONE
    )
    username = models.CharField(
        _("user or name of the key"),
        max_length=120,
        blank=True,
        help_text=_(
            "Basic: the user. API key: the name of its header or query parameter, "
            "such as X-Api-Key."
        ),
    )
    secret = models.TextField(_("secret"), blank=True, default="", editable=False)
    secret_hint = models.CharField(max_length=300, blank=True, editable=False)
    secret_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    headers = models.JSONField(
        _("headers"),
        default=dict,
        blank=True,
        help_text=_('Sent with every request: {"X-Team": "ops"}. Not for secrets.'),
    )
    connect_timeout_ms = milliseconds(
        _("connect timeout (ms)"), 2_000, _("For name, connection and TLS together.")
    )
    read_timeout_ms = milliseconds(
        _("read timeout (ms)"), 10_000, _("Silence after which an answer is given up.")
    )
    max_body_bytes = models.PositiveIntegerField(
        _("largest body (bytes)"),
        default=DEFAULT_MAX_BODY_BYTES,
        validators=[MinValueValidator(1_024), MaxValueValidator(512 * 1024 * 1024)],
        help_text=_("Counted after unpacking; a larger answer is refused."),
    )
    personal_fields = models.JSONField(
        _("personal fields"),
        default=list,
        blank=True,
        validators=[validate_names],
        help_text=_(
            'Names of fields with personal data in any answer, such as ["email", '
            '"phone"]. Columns of these names are masked, small and capital letters '
            "alike; so is what holds such a field inside. Tables of a SQL database "
            "name their personal columns themselves."
        ),
    )
    verify_tls = models.BooleanField(
        _("check certificates"),
        default=True,
        help_text=_("Switch off only for a source whose certificate cannot be fixed."),
    )
    enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_("None of its operations run while it is off."),
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        ordering = ["key"]
        verbose_name = _("data source")
        verbose_name_plural = _("data sources")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="connectors_source_key_once_per_tenant",
                violation_error_message=_("This key is taken. Choose another."),
            ),
            models.CheckConstraint(
                condition=Q(connect_timeout_ms__gt=0, read_timeout_ms__gt=0),
                name="connectors_source_timeouts_positive",
                violation_error_message=_("Give timeouts of at least 1 ms."),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        rules.check_source(self)

    def set_secret(self, plain: str) -> None:
        """Seal a secret; an empty one removes it. The caller saves."""
        self.secret = secrets.seal(plain)
        self.secret_hint = secrets.hint(plain) if plain else ""
        self.secret_set_at = timezone.now() if plain else None

    def table_specs(self) -> tuple[TableSpec, ...]:
        """Return the tables that saved queries may read; none for other kinds."""
        if self.kind != SourceKind.SQL or self.pk is None:
            return ()
        return tuple(row.spec() for row in self.tables.all())

    def spec(self) -> SourceSpec:
        """Return the source ready to be called, or with the fault that forbids it."""
        made = SourceSpec(
            key=self.key,
            kind=SourceKind(self.kind),
            tenant_id=self.tenant_id,
            tenant_key=self.tenant.key,
            base_url=self.address,
            dialect=rules.dialect_of(self),
            auth=AuthKind(self.auth),
            username=self.username,
            headers=tuple(self.headers.items()),
            connect_timeout_ms=self.connect_timeout_ms,
            read_timeout_ms=self.read_timeout_ms,
            max_body_bytes=self.max_body_bytes,
            allowed_networks=tuple(settings.SIGNALBOX_INTERNAL_NETWORKS),
            verify_tls=self.verify_tls,
            tables=self.table_specs(),
            personal_fields=tuple(self.personal_fields),
        )
        if not self.tenant.is_active:
            return replace(made, fault=SUSPENDED)
        try:
            plain = secrets.resolve(
                secrets.unseal(self.secret), tenant_key=self.tenant.key
            )
        except secrets.SecretFault as fault:
            return replace(made, fault=fault.rule)
        if self.kind == SourceKind.SQL:
            return replace(made, base_url=rules.database_url(self.address, plain))
        return replace(made, secret=plain)


class RegisteredTable(TenantModel):
    """A table that saved queries of a SQL data source may read, and whose rows."""

    class Value(models.TextChoices):
        KEY = TenantValue.KEY.value, _("key of the tenant")
        ID = TenantValue.ID.value, _("number of the tenant")

    source = models.ForeignKey(
        DataSource,
        on_delete=models.CASCADE,
        related_name="tables",
        verbose_name=_("data source"),
    )
    schema = models.CharField(
        _("schema"),
        max_length=63,
        blank=True,
        help_text=_("Empty for the schema the connection finds first."),
    )
    name = models.CharField(
        _("table"), max_length=128, help_text=_("As the database has it.")
    )
    shared = models.BooleanField(
        _("shared"),
        default=False,
        help_text=_("Every tenant may read every row of it."),
    )
    tenant_column = models.CharField(
        _("tenant column"),
        max_length=128,
        blank=True,
        help_text=_("Column that tells whose a row is. Empty only for a shared table."),
    )
    tenant_value = models.CharField(
        _("tenant column holds"),
        max_length=4,
        choices=Value.choices,
        default=Value.KEY,
    )
    personal_columns = models.JSONField(
        _("personal columns"),
        default=list,
        blank=True,
        validators=[validate_names],
        help_text=_('Columns with personal data, such as ["name", "email"].'),
    )

    class Meta:
        ordering = ["schema", "name"]
        verbose_name = _("registered table")
        verbose_name_plural = _("registered tables")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "schema", "name"],
                name="connectors_table_once_per_source",
                violation_error_message=_("This table is registered already."),
            ),
            models.CheckConstraint(
                condition=Q(shared=True, tenant_column="")
                | (Q(shared=False) & ~Q(tenant_column="")),
                name="connectors_table_tenant_column_or_shared",
                violation_error_message=_(
                    "Give the tenant column, or say that the table is shared; not both."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def clean(self) -> None:
        rules.check_table(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.take_scope()
        if self.source.tenant_id != self.tenant_id:
            raise WrongTenant(f"Table {self} was given to a source of another tenant.")
        super().save(*args, **kwargs)

    def spec(self) -> TableSpec:
        """Return the table as a value."""
        return TableSpec(
            name=self.name,
            schema=self.schema,
            tenant_column=self.tenant_column,
            tenant_value=TenantValue(self.tenant_value),
            personal_columns=tuple(self.personal_columns),
        )
