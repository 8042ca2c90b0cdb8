"""What the copilot keeps: its policy, what it suggested, what people did with it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from screens.models import Screen
from tenants.models import TenantModel


class CopilotPolicy(TenantModel):
    """What of this tenant a language model may be told; one row a tenant."""

    class Sharing(models.TextChoices):
        OFF = "off", _("nothing: rules only, no connection leaves")
        NAMES = "names", _("names: titles, operations, columns and their types")
        DESCRIPTIONS = "descriptions", _("names, and the description of the screen")

    sharing = models.CharField(
        _("what a model may be told"),
        max_length=12,
        choices=Sharing.choices,
        default=Sharing.OFF,
        help_text=_(
            "Rows and values of columns are never told. The model is asked only when "
            "the rules do not understand an instruction, and only when the operator "
            "has configured one."
        ),
    )
    tokens_per_day = models.PositiveIntegerField(
        _("tokens a day"),
        default=200_000,
        help_text=_("The model is not asked any more on a day that has used these up."),
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("copilot policy")
        verbose_name_plural = _("copilot policies")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                name="copilot_policy_once_per_tenant",
                violation_error_message=_("This tenant has a policy: change that one."),
            )
        ]

    def __str__(self) -> str:
        return str(self.get_sharing_display())


class Suggestion(TenantModel):
    """One answer of the copilot to one instruction about one screen."""

    class Kind(models.TextChoices):
        PROPOSAL = "proposal", _("proposal")
        QUESTION = "question", _("question")
        REFUSAL = "refusal", _("refusal")

    fields_about_people = ("instruction",)

    screen = models.ForeignKey(
        Screen,
        on_delete=models.CASCADE,
        related_name="+",
        editable=False,
        verbose_name=_("screen"),
    )
    base_version = models.PositiveIntegerField(_("based on version"), editable=False)
    base_digest = models.CharField(max_length=64, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("asked by"),
    )
    instruction = models.CharField(_("instruction"), max_length=500, editable=False)
    engine = models.CharField(_("engine"), max_length=8, editable=False)
    kind = models.CharField(
        _("answer"), max_length=8, choices=Kind.choices, editable=False
    )
    rule = models.CharField(_("rule"), max_length=40, blank=True, editable=False)
    words = models.JSONField(default=dict, editable=False)
    edits = models.JSONField(_("edits"), default=list, editable=False)
    choices = models.JSONField(default=list, editable=False)
    patch = models.JSONField(_("patch"), default=list, editable=False)
    gates = models.JSONField(_("gates"), default=list, editable=False)
    features = models.JSONField(default=dict, editable=False)
    probability = models.FloatField(_("confidence"), null=True, editable=False)
    basis = models.CharField(max_length=12, blank=True, editable=False)
    labels = models.PositiveIntegerField(default=0, editable=False)
    risky = models.BooleanField(_("risky"), default=False, editable=False)
    accepted_version = models.PositiveIntegerField(
        _("accepted as version"), null=True, editable=False
    )
    undone_version = models.PositiveIntegerField(
        _("undone by version"), null=True, editable=False
    )
    created_at = models.DateTimeField(_("asked"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        indexes = [
            models.Index(
                fields=["tenant", "created_at"], name="copilot_suggestion_by_time"
            )
        ]

    def __str__(self) -> str:
        return self.instruction


class ModelCall(TenantModel):
    """One call of a language model: what it cost, never what was in it."""

    suggestion = models.ForeignKey(
        Suggestion,
        on_delete=models.CASCADE,
        related_name="calls",
        editable=False,
        verbose_name=_("suggestion"),
    )
    model = models.CharField(_("model"), max_length=200, editable=False)
    prompt_digest = models.CharField(
        _("SHA-256 of the prompt"), max_length=64, editable=False
    )
    outcome = models.CharField(_("outcome"), max_length=24, editable=False)
    tokens = models.PositiveIntegerField(_("tokens"), default=0, editable=False)
    elapsed_ms = models.FloatField(
        _("duration (ms)"),
        default=0,
        editable=False,
        validators=[MinValueValidator(0)],
    )
    created_at = models.DateTimeField(_("called"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("call of a model")
        verbose_name_plural = _("calls of a model")

    def __str__(self) -> str:
        return f"{self.model} {self.outcome}"


class Feedback(TenantModel):
    """What a person did with a proposal; the copilot learns its confidence from it."""

    class Outcome(models.TextChoices):
        SHOWN = "shown", _("shown")
        ACCEPTED = "accepted", _("accepted as it was")
        EDITED = "edited", _("accepted after an edit")
        REJECTED = "rejected", _("rejected")
        REVERTED = "reverted", _("reverted within a day")

    class Reason(models.TextChoices):
        WRONG_BLOCK = "wrong-block", _("wrong block")
        WRONG_DATA = "wrong-data", _("wrong data")
        TOO_MUCH = "too-much", _("did too much")
        TOO_LITTLE = "too-little", _("did too little")
        NOT_MEANT = "not-meant", _("not what I meant")
        OTHER = "other", _("something else")

    suggestion = models.ForeignKey(
        Suggestion,
        on_delete=models.CASCADE,
        related_name="feedback",
        editable=False,
        verbose_name=_("suggestion"),
    )
    outcome = models.CharField(
        _("outcome"), max_length=8, choices=Outcome.choices, editable=False
    )
    reason = models.CharField(
        _("reason"), max_length=12, choices=Reason.choices, blank=True, editable=False
    )
    patch = models.JSONField(_("patch after the edit"), default=list, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("user"),
    )
    created_at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [
            models.UniqueConstraint(
                fields=["suggestion", "outcome"], name="copilot_feedback_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.get_outcome_display())


class Calibration(TenantModel):
    """What was learned from feedback, as numbers; the newest of an engine counts."""

    engine = models.CharField(_("engine"), max_length=8, editable=False)
    fit = models.JSONField(_("numbers"), default=dict, editable=False)
    labels = models.PositiveIntegerField(_("answers"), default=0, editable=False)
    basis = models.CharField(_("basis"), max_length=12, editable=False)
    created_at = models.DateTimeField(_("learned"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("calibration")
        verbose_name_plural = _("calibrations")

    def __str__(self) -> str:
        return f"{self.engine} {self.basis}"


class EvaluationRun(TenantModel):
    """One run of the golden set: how often the copilot did what was wanted."""

    engine = models.CharField(_("engine"), max_length=8, editable=False)
    golden_set = models.CharField(_("golden set"), max_length=40, editable=False)
    split = models.CharField(_("split"), max_length=8, editable=False)
    cases = models.PositiveIntegerField(_("cases"), default=0, editable=False)
    accuracy = models.FloatField(_("exact effect"), default=0, editable=False)
    false_accepts = models.FloatField(_("false accepts"), default=0, editable=False)
    figures = models.JSONField(_("figures"), default=dict, editable=False)
    created_at = models.DateTimeField(_("run"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("evaluation run")
        verbose_name_plural = _("evaluation runs")

    def __str__(self) -> str:
        return f"{self.golden_set} {self.split} {self.engine}"
