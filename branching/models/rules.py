"""Rules and conditions: a change of either is a change of their table."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from branching.models.facts import Fact
from branching.models.tables import DecisionTable
from branching.validation import clean_condition, clean_rule
from tenants.models import TenantManager, TenantModel

GROUP_PATH = RegexValidator(
    r"\A((all|any|not)[1-9][0-9]?(/(all|any|not)[1-9][0-9]?)?)?\Z",
    _(
        "Leave it empty, or name a group such as any1, not1 or all2; any1/not1 is a "
        "group inside a group, and nothing is deeper."
    ),
)


class PartQuerySet(models.QuerySet[Any]):
    """Rows that are part of a decision table: every write stamps their table."""

    def _touch(self) -> None:
        tables = self.order_by().values(self.model.TABLE)
        _touch_tables(list(tables.values_list(self.model.TABLE, flat=True)))

    def update(self, **values: Any) -> int:
        with transaction.atomic():
            self._touch()  # a row may leave its table, or enter another
            updated = super().update(**values)
            self._touch()
        return updated

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            self._touch()
            return super().delete()

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[Any]:
        with transaction.atomic():
            rows = super().bulk_create(objs, *args, **kwargs)
            _touch_tables({row.table_of_part for row in rows})
        return rows


def _touch_tables(keys: Collection[int]) -> None:
    DecisionTable.all_tenants.filter(pk__in=set(keys)).update(
        version=F("version") + 1, stamp=uuid.uuid4()
    )


class Part(TenantModel):
    """Base of rules and conditions: a change of either is a change of the table."""

    TABLE = ""  # path to the primary key of the table

    class Meta:
        abstract = True

    @property
    def table_of_part(self) -> int:
        raise NotImplementedError

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            _touch_tables({self.table_of_part})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            _touch_tables({self.table_of_part})
            return super().delete(*args, **kwargs)


class Rule(Part):
    """One row of a decision table: when its conditions hold, what is called."""

    TABLE = "table"

    table = models.ForeignKey(
        DecisionTable,
        on_delete=models.CASCADE,
        related_name="rules",
        verbose_name=_("decision table"),
    )
    order = models.PositiveIntegerField(
        _("order"), default=10, help_text=_("Rules are tried from the smallest.")
    )
    key = models.SlugField(
        _("key"),
        max_length=60,
        help_text=_("Name of the rule in traces, such as big-quakes."),
    )
    enabled = models.BooleanField(
        _("on"), default=True, help_text=_("A rule that is off never matches.")
    )
    priority = models.IntegerField(
        _("priority"), default=0, help_text=_("Larger wins under the policy priority.")
    )
    operation = models.CharField(
        _("operation"), max_length=80, help_text=_("Key of the operation to call.")
    )
    arguments = models.JSONField(
        _("arguments"),
        default=dict,
        blank=True,
        help_text=_(
            'Such as {"site": {"parameter": "site"}, "plan": {"fact": "plan"}, '
            '"days": 7}.'
        ),
    )
    response = models.SlugField(
        _("response"),
        max_length=60,
        default="default",
        help_text=_("Name of the block's response that shows it."),
    )
    note = models.CharField(
        _("note"), max_length=200, blank=True, help_text=_("Why the rule is here.")
    )

    objects = TenantManager.from_queryset(PartQuerySet)()  # type: ignore[misc]
    all_tenants = models.Manager.from_queryset(PartQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.UniqueConstraint(
                fields=["table", "key"], name="branching_rule_key_once_per_table"
            ),
            models.CheckConstraint(
                condition=~Q(key="default"),
                name="branching_rule_key_not_default",
                violation_error_message=_(
                    "The key default belongs to the table's own default. "
                    "Choose another."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def table_of_part(self) -> int:
        return self.table_id

    def clean(self) -> None:
        clean_rule(self, facts=Fact.objects)


class Condition(Part):
    """One comparison of a rule, and the group it belongs to.

    Rows without a group must all hold. Rows of a group such as ``any1`` form that
    group together: ``all…`` all of them, ``any…`` at least one, ``not…`` none of
    them. A group inside a group is written ``any1/not1``; with the rule's own "all"
    that is three deep, and nothing is deeper.
    """

    TABLE = "rule__table"

    class Operand(models.TextChoices):
        FACT = "fact", _("fact")
        PARAMETER = "parameter", _("parameter")
        USER = "user", _("user")
        CONTEXT = "context", _("moment and place")

    class Operator(models.TextChoices):
        EQ = "eq", _("equals")
        NE = "ne", _("differs from")
        IN = "in", _("is one of")
        NOT_IN = "not_in", _("is none of")
        CONTAINS = "contains", _("contains")
        STARTS_WITH = "starts_with", _("starts with")
        ENDS_WITH = "ends_with", _("ends with")
        LT = "lt", _("is less than")
        LE = "le", _("is at most")
        GT = "gt", _("is greater than")
        GE = "ge", _("is at least")
        BETWEEN = "between", _("is between")
        IS_TRUE = "is_true", _("is yes")
        IS_FALSE = "is_false", _("is no")
        EXISTS = "exists", _("has a value")
        MISSING = "missing", _("has no value")
        CONTAINS_ANY = "contains_any", _("has one of")
        CONTAINS_ALL = "contains_all", _("has all of")
        IS_EMPTY = "is_empty", _("is an empty list")

    rule = models.ForeignKey(
        Rule,
        on_delete=models.CASCADE,
        related_name="conditions",
        verbose_name=_("rule"),
    )
    order = models.PositiveIntegerField(_("order"), default=10)
    group = models.CharField(
        _("group"),
        max_length=12,
        blank=True,
        validators=[GROUP_PATH],
        help_text=_(
            "Empty: must hold. Rows that share any1: at least one of them. not1: none "
            "of them. all1: all of them. any1/all1: a group inside a group."
        ),
    )
    operand = models.CharField(
        _("looks at"),
        max_length=10,
        choices=Operand.choices,
        default=Operand.FACT,
        help_text=_("A fact, a parameter of the table, the user, or the moment."),
    )
    name = models.CharField(
        _("name"),
        max_length=60,
        help_text=_(
            "Key of the fact or parameter. User: id, username, language, time_zone, "
            "is_staff, teams. Moment and place: now, today, weekday (Monday is 1), "
            "hour, tenant."
        ),
    )
    operator = models.CharField(
        _("operator"),
        max_length=14,
        choices=Operator.choices,
        default=Operator.EQ,
        help_text=_(
            "Texts: equals, differs, one of, contains, starts, ends. Numbers, dates "
            "and times: also less, most, greater, least, between (both ends count). "
            "Yes or no: is yes, is no. Lists: has one of, has all of, empty. A value "
            "that is absent, or of another type, is unknown and never matches; only "
            "the two about having a value answer for it."
        ),
    )
    value = models.JSONField(
        _("value"),
        null=True,
        blank=True,
        default=None,
        help_text=_(
            "Literal of the operand's type: pro, 10, 2026-01-31. Several with commas: "
            "pro, team. Empty for operators that take none."
        ),
    )
    ignore_case = models.BooleanField(
        _("ignore case"),
        default=False,
        help_text=_("Texts and lists of texts only."),
    )

    objects = TenantManager.from_queryset(PartQuerySet)()  # type: ignore[misc]
    all_tenants = models.Manager.from_queryset(PartQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")

    def __str__(self) -> str:
        return f"{self.operand} {self.name} {self.operator}"

    @property
    def table_of_part(self) -> int:
        return self.rule.table_id

    def clean(self) -> None:
        clean_condition(self, facts=Fact.objects)
