"""What is stored: data sources, their operations, and what operations take."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from connectors import parameter_rules, rules
from connectors.data_sources import (
    DataSource,
    RegisteredTable,
    milliseconds,
    validate_label,
)
from connectors.parameters import ParameterSpec, ParameterType
from connectors.query_safety_models import QuerySafetyCheck
from connectors.refusal_models import QueryRefusal, RefusalLayer
from connectors.reveal_models import PersonalReveal
from connectors.specs import BodyFormat, BodyKind, OperationSpec, SourceKind
from tenants.models import TenantManager, TenantModel
from tenants.scope import WrongTenant

__all__ = [
    "DataSource",
    "Operation",
    "OperationTeamPermission",
    "OperationUserPermission",
    "Parameter",
    "PersonalReveal",
    "QueryRefusal",
    "QuerySafetyCheck",
    "RefusalLayer",
    "RegisteredTable",
]


class OperationQuerySet(models.QuerySet["Operation"]):
    def enabled(self) -> Self:
        return self.filter(enabled=True, source__enabled=True)

    def with_spec_rows(self) -> Self:
        """Fetch what `Operation.spec` reads, but the tables of SQL sources."""
        return self.select_related("source__tenant").prefetch_related("parameters")


class Operation(TenantModel):
    """One call a block can make: an HTTP request, a SQL query, or a series."""

    class Method(models.TextChoices):
        GET = "GET", "GET"
        POST = "POST", _("POST, for questions that need a body")

    class Body(models.TextChoices):
        NONE = BodyKind.NONE.value, _("none")
        JSON = BodyKind.JSON.value, "JSON"
        FORM = BodyKind.FORM.value, _("form")

    class Format(models.TextChoices):
        AUTO = BodyFormat.AUTO.value, _("as the answer says")
        JSON = BodyFormat.JSON.value, "JSON"
        CSV = BodyFormat.CSV.value, "CSV"
        TSV = BodyFormat.TSV.value, "TSV"
        TEXT = BodyFormat.TEXT.value, _("text")

    key = models.SlugField(
        _("key"),
        max_length=80,
        help_text=_("Name used by screens and decision tables, such as stock-by-site."),
    )
    label = models.JSONField(
        _("label"),
        default=dict,
        blank=True,
        validators=[validate_label],
        help_text=_('Name for people by language: {"ko": "재고", "en": "Stock"}.'),
    )
    source = models.ForeignKey(
        DataSource,
        on_delete=models.PROTECT,
        related_name="operations",
        verbose_name=_("data source"),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    method = models.CharField(
        _("method"), max_length=8, choices=Method.choices, default=Method.GET
    )
    path = models.CharField(
        _("path"),
        max_length=500,
        blank=True,
        help_text=_("Under the address of the source, such as /sites/{site}/stock."),
    )
    query = models.JSONField(
        _("query parameters"),
        default=dict,
        blank=True,
        help_text=_(
            'Such as {"day": "{day}", "limit": "50"}. Missing values are left out.'
        ),
    )
    headers = models.JSONField(
        _("headers"),
        default=dict,
        blank=True,
        help_text=_('Such as {"X-Site": "{site}"}.'),
    )
    body_kind = models.CharField(
        _("body"), max_length=8, choices=Body.choices, default=Body.NONE
    )
    body = models.TextField(
        _("body template"),
        blank=True,
        help_text=_(
            'JSON, such as {"site": "{site}"}. A text that is one placeholder becomes '
            "the value with its type."
        ),
    )
    body_format = models.CharField(
        _("format of the answer"),
        max_length=8,
        choices=Format.choices,
        default=Format.AUTO,
    )
    rows_path = models.CharField(
        _("rows path"),
        max_length=500,
        blank=True,
        help_text=_("JMESPath from the answer to its rows, such as data.items."),
    )
    sql = models.TextField(
        _("SQL"),
        blank=True,
        help_text=_(
            "One SELECT with :name parameters. The portal binds :tenant and :user."
        ),
    )
    series = models.CharField(
        _("series"),
        max_length=80,
        blank=True,
        help_text=_("Name of one of the portal's own series, such as latency."),
    )
    columns = models.JSONField(
        _("columns"),
        default=list,
        blank=True,
        help_text=_(
            'Order, types and units: [{"name": "temp", "type": "decimal", '
            '"unit": "°C", "label": {"ko": "기온", "en": "Temp."}}]. '
            "Types: text, integer, decimal, boolean, date, datetime. "
            '"personal": true, or one of name, email, phone, id, address, other, masks '
            "a column for readers. "
            "Empty: as the answer has them."
        ),
    )
    timeout_ms = milliseconds(
        _("timeout (ms)"), 3_000, _("For the whole call, redirects and body included.")
    )
    row_limit = models.PositiveIntegerField(
        _("row limit"),
        default=1_000,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("Rows that are kept; the reader is told when there were more."),
    )
    keep_last_good_s = models.PositiveIntegerField(
        _("keep the last good answer (s)"),
        default=0,
        validators=[MaxValueValidator(30 * 24 * 3_600)],
        help_text=_("Seconds it can stand in when the source fails; 0 keeps none."),
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = TenantManager.from_queryset(OperationQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["key"]
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        permissions = [
            ("use_operation", _("Can use the operation in screens")),
            ("reveal_personal", _("Can reveal personal data of the operation")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="connectors_operation_key_once_per_tenant",
                violation_error_message=_("This key is taken. Choose another."),
            ),
            models.CheckConstraint(
                condition=Q(timeout_ms__gt=0),
                name="connectors_operation_timeout_positive",
                violation_error_message=_("Give the call at least one millisecond."),
            ),
            models.CheckConstraint(
                condition=Q(row_limit__gt=0),
                name="connectors_operation_row_limit_positive",
                violation_error_message=_("Keep at least one row."),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def kind(self) -> SourceKind:
        return SourceKind(self.source.kind)

    def clean(self) -> None:
        if self.source_id is not None:
            rules.check_operation(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.take_scope()
        if self.source.tenant_id != self.tenant_id:
            raise WrongTenant(
                f"Operation {self.key} was given a data source of another tenant."
            )
        super().save(*args, **kwargs)

    def spec(self) -> OperationSpec:
        """Return the operation ready to be performed."""
        made = OperationSpec(
            key=self.key,
            source=self.source.spec(),
            label=self.label,
            method=self.method,
            path=self.path,
            query=tuple(self.query.items()),
            headers=tuple(self.headers.items()),
            body_kind=BodyKind(self.body_kind),
            body=self.body,
            body_format=BodyFormat(self.body_format),
            rows_path=self.rows_path,
            sql=self.sql,
            series=self.series,
            columns=rules.read_columns(self.columns),
            parameters=tuple(row.spec() for row in self.parameters.all()),
            timeout_ms=self.timeout_ms,
            row_limit=self.row_limit,
            keep_last_good_s=self.keep_last_good_s,
        )
        told = f"{made!r} {self.updated_at} {self.source.updated_at}"
        version = hashlib.sha256(told.encode()).hexdigest()[:16]
        return replace(made, version=version)


class Parameter(TenantModel):
    """One typed value an operation takes."""

    class Type(models.TextChoices):
        TEXT = ParameterType.TEXT.value, _("text")
        INTEGER = ParameterType.INTEGER.value, _("whole number")
        DECIMAL = ParameterType.DECIMAL.value, _("number")
        BOOLEAN = ParameterType.BOOLEAN.value, _("true or false")
        DATE = ParameterType.DATE.value, _("date")
        DATETIME = ParameterType.DATETIME.value, _("date and time")
        CHOICE = ParameterType.CHOICE.value, _("choice")
        LIST = ParameterType.LIST.value, _("list of texts")

    operation = models.ForeignKey(
        Operation, on_delete=models.CASCADE, related_name="parameters"
    )
    name = models.CharField(
        _("name"),
        max_length=60,
        validators=[
            RegexValidator(
                r"^[a-z_][a-z0-9_]*\Z",
                _("Use small letters, digits and underscores, such as site_id."),
            )
        ],
    )
    type = models.CharField(
        _("type"), max_length=8, choices=Type.choices, default=Type.TEXT
    )
    required = models.BooleanField(_("required"), default=False)
    default = models.CharField(_("default"), max_length=300, blank=True)
    minimum = models.CharField(_("minimum"), max_length=40, blank=True)
    maximum = models.CharField(_("maximum"), max_length=40, blank=True)
    choices = models.JSONField(
        _("choices"),
        default=list,
        blank=True,
        help_text=_('Such as ["north", "south"].'),
    )
    label = models.JSONField(
        _("label"), default=dict, blank=True, validators=[validate_label]
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("parameter")
        verbose_name_plural = _("parameters")
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "name"],
                name="connectors_parameter_name_once",
                violation_error_message=_(
                    "This operation has a parameter of this name."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        parameter_rules.check_parameter(self)
        if self.operation.kind is SourceKind.SQL:
            parameter_rules.check_sql_name(self.name)

    def spec(self) -> ParameterSpec:
        return parameter_rules.parameter_spec(self)


class OperationUserPermission(UserObjectPermissionBase):
    """What one user may do with one operation."""

    content_object = models.ForeignKey(Operation, on_delete=models.CASCADE)


class OperationTeamPermission(GroupObjectPermissionBase):
    """What one team may do with one operation."""

    content_object = models.ForeignKey(Operation, on_delete=models.CASCADE)
