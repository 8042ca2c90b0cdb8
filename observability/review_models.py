"""Reviews: what was frozen, what is to be done about it, and who signed."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from observability.review_documents import in_language
from observability.review_periods import period_name
from observability.review_snapshots import Snapshot, digest_of, from_text
from observability.review_values import Cadence, Period
from tenants.models import TenantManager, TenantModel

_WRITTEN_ONCE = "A review is written once. Sign it by observability.reviews."


class ReviewIsFinal(RuntimeError):
    """Something of a review that never changes was about to: a bug in the caller."""


class ReviewQuerySet(models.QuerySet["Review"]):
    def of(self, cadence: Cadence) -> Self:
        return self.filter(cadence=cadence.value)

    def waiting(self) -> Self:
        """Keep reviews that are not signed."""
        return self.exclude(state=Review.State.SIGNED)

    def update(self, **values: Any) -> int:
        raise ReviewIsFinal(
            "A review is written once. Sign it by observability.reviews."
        )

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise ReviewIsFinal(
            "A review is written once. Sign it by observability.reviews."
        )

    def delete(self) -> tuple[int, dict[str, int]]:
        raise ReviewIsFinal("Reviews are kept.")


class Review(TenantModel):
    """One month or quarter of one tenant, frozen when it was collected.

    Period, snapshot and digest never change; the state goes forward until signed.
    """

    class Cadences(models.TextChoices):
        MONTHLY = Cadence.MONTHLY.value, _("monthly")
        QUARTERLY = Cadence.QUARTERLY.value, _("quarterly")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        IN_REVIEW = "in-review", _("in review")
        SIGNED = "signed", _("signed")

    fields_about_people = ("snapshot",)

    cadence = models.CharField(_("cadence"), max_length=10, choices=Cadences.choices)
    starts = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))
    # As text: what is hashed are these letters, and no database writes them anew.
    snapshot = models.TextField(_("snapshot"), editable=False)
    digest = models.CharField(_("SHA-256"), max_length=64, editable=False)
    created_at = models.DateTimeField(_("collected"), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.DRAFT
    )

    objects = TenantManager.from_queryset(ReviewQuerySet)()  # type: ignore[misc]
    all_tenants = models.Manager.from_queryset(ReviewQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-starts", "cadence"]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        permissions = [("sign_review", _("Can sign reviews"))]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "cadence", "starts"],
                name="observability_review_once_per_period",
            ),
            models.CheckConstraint(
                condition=Q(starts__lt=F("ends")),
                name="observability_review_starts_before_it_ends",
            ),
        ]

    def __str__(self) -> str:
        name = period_name(self.period, zone=settings.TIME_ZONE)
        return f"{self.get_cadence_display()} {name}"

    @property
    def period(self) -> Period:
        return Period(Cadence(self.cadence), self.starts, self.ends)

    @property
    def signatures_needed(self) -> int:
        """A quarter looks at who can see what, and needs four eyes."""
        return 2 if self.cadence == Cadence.QUARTERLY else 1

    @property
    def is_sound(self) -> bool:
        """Whether the snapshot is still the one whose digest was written down."""
        return digest_of(self.snapshot) == self.digest

    def read(self) -> Snapshot:
        """Return the frozen snapshot.

        Raises:
            UnreadableSnapshot: somebody wrote something else into the row.
        """
        return from_text(self.snapshot)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._refuse_what_never_changes()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise ReviewIsFinal(f"Review {self.pk} is kept.")

    def _refuse_what_never_changes(self) -> None:
        fixed = ("tenant_id", "cadence", "starts", "ends", "snapshot", "digest",
                 "created_at")  # fmt: skip
        stored = type(self).all_tenants.filter(pk=self.pk).values("state", *fixed)
        for row in stored:
            if row["state"] == self.State.SIGNED:
                raise ReviewIsFinal(f"Review {self.pk} is signed.")
            changed = [name for name in fixed if getattr(self, name) != row[name]]
            if changed:
                raise ReviewIsFinal(f"Review {self.pk}: {changed} never change.")


class ReviewFindingQuerySet(models.QuerySet["ReviewFinding"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        raise ReviewIsFinal("Findings are kept; close them instead.")

    def open(self) -> Self:
        """Keep what still waits; what the next review found again waits there."""
        return self.filter(state=ReviewFinding.State.OPEN, found_again__isnull=True)

    def overdue(self, *, today: date) -> Self:
        return self.open().filter(due_on__lt=today)


class ReviewFinding(TenantModel):
    """One thing a review found: who looks after it, until when, and what came of it."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted as it is")
        DONE = "done", _("done")

    review = models.ForeignKey(
        Review,
        on_delete=models.CASCADE,
        related_name="findings",
        editable=False,
        verbose_name=_("review"),
    )
    key = models.CharField(_("key"), max_length=200, editable=False)
    text = models.JSONField(_("finding"), editable=False)
    found_before = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        related_name="found_again",
        null=True,
        editable=False,
        verbose_name=_("found before"),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("owner"),
        help_text=_("Who sees to it. Stays when the next review finds it again."),
    )
    due_on = models.DateField(
        _("due"),
        null=True,
        blank=True,
        help_text=_("An open finding is overdue from the day after."),
    )
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=State.choices,
        default=State.OPEN,
        help_text=_("Accepted: it stays as it is, for the reason in the note."),
    )
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = TenantManager.from_queryset(ReviewFindingQuerySet)()  # type: ignore[misc]
    all_tenants = models.Manager.from_queryset(ReviewFindingQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["review", "pk"]
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.UniqueConstraint(
                fields=["review", "key"], name="observability_finding_once_per_review"
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | ~Q(note=""),
                name="observability_finding_accepted_for_a_reason",
                violation_error_message=_(
                    "Say in the note why this finding stays as it is."
                ),
            ),
        ]

    def __str__(self) -> str:
        return in_language(self.text, get_language() or "ko")[:200]

    def is_overdue(self, *, today: date) -> bool:
        return (
            self.state == self.State.OPEN
            and self.due_on is not None
            and self.due_on < today
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        fixed = ("tenant_id", "review_id", "key", "text")
        for row in type(self).all_tenants.filter(pk=self.pk).values(*fixed):
            changed = [name for name in fixed if getattr(self, name) != row[name]]
            if changed:
                raise ReviewIsFinal(f"Finding {self.pk}: {changed} never change.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise ReviewIsFinal(f"Finding {self.pk} is kept; close it instead.")


class ReviewSignatureQuerySet(models.QuerySet["ReviewSignature"]):
    def update(self, **values: Any) -> int:
        raise ReviewIsFinal("Signatures are only ever added.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise ReviewIsFinal("Signatures are only ever added.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise ReviewIsFinal("Signatures are only ever added.")


class ReviewSignature(TenantModel):
    """Who signed for what, and when. Added and never changed.

    The name stays when the user is deleted.
    """

    review = models.ForeignKey(
        Review,
        on_delete=models.CASCADE,
        related_name="signatures",
        editable=False,
        verbose_name=_("review"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("user"),
    )
    username = models.CharField(_("name"), max_length=150, editable=False)
    signed_digest = models.CharField(_("SHA-256"), max_length=64, editable=False)
    signed_at = models.DateTimeField(_("signed"), auto_now_add=True)

    objects = TenantManager.from_queryset(ReviewSignatureQuerySet)()  # type: ignore[misc]
    all_tenants = models.Manager.from_queryset(ReviewSignatureQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["signed_at", "pk"]
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        constraints = [
            models.UniqueConstraint(
                fields=["review", "user"], name="observability_signature_once"
            )
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ReviewIsFinal("Signatures are only ever added.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise ReviewIsFinal("Signatures are only ever added.")
