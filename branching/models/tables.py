"""Decision tables: which rule counts, the default, and the fallback chain."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from branching.models.stamps import Stamped, StampedQuerySet
from branching.validation import clean_table
from tenants.models import TenantManager


class DecisionTable(Stamped):
    """Rules that choose which operation a block calls and which response it shows."""

    class HitPolicy(models.TextChoices):
        FIRST = "first", _("first: the first rule that matches")
        UNIQUE = "unique", _("unique: the only rule that matches, else the default")
        PRIORITY = "priority", _("priority: the matching rule of highest priority")
        COLLECT = "collect", _("collect: the calls of every rule that matches")

    key = models.SlugField(
        _("key"),
        max_length=80,
        help_text=_("Name used by blocks of screens, such as quake-alerts."),
    )
    label = models.JSONField(
        _("label"),
        default=dict,
        blank=True,
        help_text=_('Name by language: {"ko": "지진 경보", "en": "Quake alerts"}.'),
    )
    hit_policy = models.CharField(
        _("hit policy"),
        max_length=8,
        choices=HitPolicy.choices,
        default=HitPolicy.FIRST,
        help_text=_("Which rule counts when several match."),
    )
    parameters = models.JSONField(
        _("parameters"),
        default=dict,
        blank=True,
        help_text=_(
            "Parameters that conditions and arguments may use, with their types: "
            '{"site": "text", "days": "integer"}. Types: text, integer, decimal, '
            "boolean, date, datetime, choice, list."
        ),
    )
    default_operation = models.CharField(
        _("default operation"),
        max_length=80,
        help_text=_("Called when no rule matches. Every table has a default."),
    )
    default_arguments = models.JSONField(
        _("default arguments"),
        default=dict,
        blank=True,
        help_text=_(
            'Such as {"site": {"parameter": "site"}, "days": 7}. Facts are not '
            "allowed here: the default answers when every fact has failed."
        ),
    )
    default_response = models.SlugField(
        _("default response"),
        max_length=60,
        default="default",
        help_text=_("Name of the block's response that shows it."),
    )
    fallbacks = models.JSONField(
        _("fallbacks"),
        default=list,
        blank=True,
        help_text=_(
            "At most three steps, tried in order when a call fails: "
            '[{"on": ["timeout", "upstream"], "kind": "last_good", "response": '
            '"default", "max_age_s": 3600}, {"on": ["timeout"], "kind": "static", '
            '"response": "sorry", "static": "…"}]. Kinds: operation (with operation '
            "and arguments), last_good, static. Events: upstream, timeout, "
            "circuit_open, unreadable, refused (static only), empty."
        ),
    )

    objects = TenantManager.from_queryset(StampedQuerySet)()  # type: ignore[misc]
    all_tenants = models.Manager.from_queryset(StampedQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["key"]
        verbose_name = _("decision table")
        verbose_name_plural = _("decision tables")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"], name="branching_table_key_once_per_tenant"
            ),
            models.CheckConstraint(
                condition=~Q(default_operation="") & ~Q(default_response=""),
                name="branching_table_default_required",
                violation_error_message=_(
                    "Every table needs a default operation and a default response."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def title(self) -> str:
        """The label in the active language, else any label, else the key."""
        label: dict[str, str] = self.label or {}
        language = (get_language() or "en")[:2]
        return label.get(language) or next(iter(label.values()), self.key)

    def clean(self) -> None:
        clean_table(self)
