"""Facts: what conditions look at, and where it is read."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from branching.conditions import Operand
from branching.fact_validation import clean_fact, operands_of_fact
from branching.models.stamps import Stamped, StampedQuerySet
from tenants.models import TenantManager

SNAKE_CASE = RegexValidator(
    r"\A[a-z][a-z0-9_]*\Z",
    _(
        "Use small letters, digits and underscores, beginning with a letter, such as "
        "open_orders."
    ),
)


class Fact(Stamped):
    """One named, typed value that conditions look at, read for the actor's tenant."""

    class Type(models.TextChoices):
        BOOLEAN = "boolean", _("yes or no")
        INTEGER = "integer", _("whole number")
        DECIMAL = "decimal", _("decimal number")
        TEXT = "text", _("text")
        DATE = "date", _("date")
        DATETIME = "datetime", _("date and time")
        LIST = "list", _("list of texts")

    class Kind(models.TextChoices):
        ORM = "orm", _("rows of the portal")
        OPERATION = "operation", _("SQL operation")

    class Aggregate(models.TextChoices):
        COUNT = "count", _("number of rows")
        EXISTS = "exists", _("whether there is a row")
        SUM = "sum", _("sum")
        MAX = "max", _("largest")
        MIN = "min", _("smallest")
        AVG = "avg", _("average")
        FIRST = "first", _("value of the first row")
        LIST = "list", _("all different values")

    class RowShape(models.TextChoices):
        SCALAR = "scalar", _("first column of the first row")
        ROW = "row", _("a named column of the first row")
        LIST = "list", _("a column of every row")

    class Empty(models.TextChoices):
        NULL = "null", _("no value")
        ZERO = "zero", _("zero, no, or an empty text or list")
        ERROR = "error", _("unknown")

    key = models.CharField(
        _("key"),
        max_length=60,
        validators=[SNAKE_CASE],
        help_text=_("Name used in conditions, such as open_orders."),
    )
    label = models.JSONField(
        _("label"),
        default=dict,
        blank=True,
        help_text=_('Name by language: {"ko": "열린 주문", "en": "Open orders"}.'),
    )
    type = models.CharField(
        _("type"),
        max_length=10,
        choices=Type.choices,
        default=Type.TEXT,
        help_text=_(
            "What the fact holds. Nothing is converted: a value of another type is "
            "unknown, and unknown never matches."
        ),
    )
    kind = models.CharField(
        _("source"),
        max_length=10,
        choices=Kind.choices,
        default=Kind.ORM,
        help_text=_("Where it is read: rows of the portal itself, or a SQL operation."),
    )
    model = models.CharField(
        _("model"),
        max_length=120,
        blank=True,
        help_text=_(
            "Rows of the portal: a model of SIGNALBOX_FACT_MODELS, such as "
            "demo.Subscription. Only rows of the reader's tenant count."
        ),
    )
    filters = models.JSONField(
        _("filters"),
        default=list,
        blank=True,
        help_text=_(
            'Rows of the portal: a list such as [["plan", "eq", "pro"], '
            '["site", "eq", {"parameter": "site"}]]. Operators: eq, ne, lt, le, gt, '
            "ge, in, contains, starts_with, exists, missing. A value may come from "
            '{"parameter": …}, {"user": …} or {"context": …}.'
        ),
    )
    aggregate = models.CharField(
        _("what is read"),
        max_length=8,
        choices=Aggregate.choices,
        default=Aggregate.FIRST,
        help_text=_("Rows of the portal: how the rows become one value."),
    )
    field = models.CharField(
        _("field"),
        max_length=120,
        blank=True,
        help_text=_("Rows of the portal: the field read; none for number and whether."),
    )
    operation = models.CharField(
        _("operation"),
        max_length=80,
        blank=True,
        help_text=_("SQL operation: its key. It has one second to answer."),
    )
    arguments = models.JSONField(
        _("arguments"),
        default=dict,
        blank=True,
        help_text=_(
            'SQL operation: such as {"site": {"parameter": "site"}, "days": 7}.'
        ),
    )
    shape = models.CharField(
        _("shape"),
        max_length=8,
        choices=RowShape.choices,
        default=RowShape.SCALAR,
        help_text=_("SQL operation: which cell, or cells, of the answer."),
    )
    column = models.CharField(
        _("column"),
        max_length=120,
        blank=True,
        help_text=_("SQL operation: name of the column; the first when empty."),
    )
    empty = models.CharField(
        _("when there is nothing"),
        max_length=8,
        choices=Empty.choices,
        default=Empty.NULL,
        help_text=_("What the fact is when no row, or no value, was found."),
    )
    ttl_s = models.PositiveIntegerField(
        _("seconds kept"),
        default=30,
        help_text=_(
            "Seconds a value is kept for the same tenant and parameters; 0 reads it "
            "every time. A secret fact is never kept."
        ),
    )
    secret = models.BooleanField(
        _("secret"),
        default=False,
        help_text=_(
            "A secret fact may be compared, but is never shown in a trace and never "
            "sent as an argument."
        ),
    )

    objects = TenantManager.from_queryset(StampedQuerySet)()  # type: ignore[misc]
    all_tenants = models.Manager.from_queryset(StampedQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["key"]
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"], name="branching_fact_key_once_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def operands(self) -> tuple[Operand, ...]:
        """What it takes from parameters, the user and the moment."""
        return operands_of_fact(self)

    def clean(self) -> None:
        clean_fact(self)
