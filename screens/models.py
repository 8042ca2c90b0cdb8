"""Screens and their versions. A published version is never changed, only replaced."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from connectors.outcomes import Json
from screens.document import Text
from tenants.models import TenantManager, TenantModel


class PublishedVersionChanged(RuntimeError):
    """Somebody tried to change or delete a published version: a bug in the caller."""


class ScreenQuerySet(models.QuerySet["Screen"]):
    def open_to_readers(self) -> Self:
        """Keep screens that have a published version and are not retired."""
        return self.filter(retired=False, published__isnull=False)

    def with_published(self) -> Self:
        """Fetch the published version in the same query."""
        return self.select_related("published")


class Screen(TenantModel):
    """One page of blocks, reached by a menu. What it shows stands in its versions."""

    key = models.SlugField(
        _("key"),
        max_length=80,
        help_text=_("Name used by menus and commands, such as weather."),
    )
    title = models.JSONField(
        _("title"),
        default=dict,
        blank=True,
        editable=False,
        help_text=_("By language; taken from the published document."),
    )
    published = models.ForeignKey(
        "screens.ScreenVersion",
        # The screen and its versions go together; a version alone stays.
        on_delete=models.RESTRICT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        verbose_name=_("published version"),
    )
    retired = models.BooleanField(
        _("retired"),
        default=False,
        help_text=_("Readers no longer reach a retired screen; its versions stay."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TenantManager.from_queryset(ScreenQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["key"]
        verbose_name = _("screen")
        verbose_name_plural = _("screens")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="screens_screen_key_once_per_tenant",
                violation_error_message=_("Another screen has this key."),
            )
        ]

    def __str__(self) -> str:
        return Text(self.title).in_language(get_language() or "ko") or self.key


class ScreenVersion(TenantModel):
    """One saved document of a screen, with who saved it and why."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    screen = models.ForeignKey(
        Screen, on_delete=models.CASCADE, related_name="versions", editable=False
    )
    number = models.PositiveIntegerField(_("number"), editable=False)
    state = models.CharField(
        _("state"),
        max_length=9,
        choices=State.choices,
        default=State.DRAFT,
        editable=False,
    )
    body = models.JSONField(_("document"), editable=False)
    digest = models.CharField(
        _("digest"),
        max_length=64,
        editable=False,
        help_text=_("SHA-256 of the document; equal documents have equal digests."),
    )
    note = models.CharField(_("note"), max_length=200, blank=True, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("author"),
    )
    created_at = models.DateTimeField(_("saved"), auto_now_add=True)

    class Meta:
        ordering = ["screen", "-number"]
        verbose_name = _("screen version")
        verbose_name_plural = _("screen versions")
        constraints = [
            models.UniqueConstraint(
                fields=["screen", "number"], name="screens_version_number_once"
            ),
            models.CheckConstraint(
                condition=Q(number__gt=0), name="screens_version_number_from_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.screen.key} {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._refuse_when_published()
        self.digest = digest_of(self.body)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._refuse_when_published()
        return super().delete(*args, **kwargs)

    def _refuse_when_published(self) -> None:
        stored = type(self).all_tenants.filter(pk=self.pk, state=self.State.PUBLISHED)
        if stored.exists():
            raise PublishedVersionChanged(
                f"Version {self.number} of screen {self.screen_id} is published. "
                "Save a new version instead."
            )


def digest_of(body: Json) -> str:
    """Return the SHA-256 of a document, whatever the order of its keys."""
    written = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()
