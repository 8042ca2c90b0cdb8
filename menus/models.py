"""The menu tree, who was given what on it, favourites, and recent visits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Max, Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from guardian.models.models import GroupObjectPermissionBase, UserObjectPermissionBase
from mptt.managers import TreeManager
from mptt.models import MPTTModel, TreeForeignKey
from mptt.querysets import TreeQuerySet

from menus.checklist_models import FirstStep  # noqa: F401 - a model of this app
from menus.numbering import first_tree_id
from menus.visibility import Kind
from screens.document import Text
from tenants.models import TenantManager, TenantModel
from tenants.scope import required_tenant_id

LANGUAGES = ("ko", "en")
_writing: ContextVar[bool] = ContextVar("signalbox_menu_tree_writing", default=False)


class TreeWriteRefused(RuntimeError):
    """A menu was written around the tree service: a bug in the caller."""

    def __init__(self) -> None:
        super().__init__(
            "A menu was written outside its tree's lock. Use create_menu, update_menu, "
            "move_menu or delete_menu of menus.services."
        )


@contextmanager
def tree_unlocked() -> Iterator[None]:
    """Let menus be written; ``menus.tree`` alone opens this, with the lock held."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def _refuse_unless_unlocked() -> None:
    if not _writing.get():
        raise TreeWriteRefused


def validate_label(label: object) -> None:
    """Accept ``{"ko": "...", "en": "..."}`` with at least one text in it."""
    if (
        not isinstance(label, Mapping)
        or not label
        or not set(label) <= set(LANGUAGES)
        or not all(isinstance(text, str) and text.strip() for text in label.values())
    ):
        raise ValidationError(
            _('%(found)s is not a name. Write {"ko": "…", "en": "…"}, or one of them.'),
            code="label",
            params={"found": str(label)[:80]},
        )


def validate_link(url: str) -> None:
    """Accept absolute addresses of the web only: no script, no data, no file."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValidationError(
            _(
                "%(url)s is not an address of the web. Begin it with https:// or http://."
            ),
            code="link",
            params={"url": url[:80]},
        )


class MenuQuerySet(TreeQuerySet):  # type: ignore[misc]
    """Rows of the tree; writing many at once needs the lock, too."""

    def update(self, **values: Any) -> int:
        _refuse_unless_unlocked()
        return super().update(**values)  # type: ignore[no-any-return]

    def delete(self) -> tuple[int, dict[str, int]]:
        _refuse_unless_unlocked()
        return super().delete()  # type: ignore[no-any-return]


class MenuManager(TenantManager["Menu"], TreeManager.from_queryset(MenuQuerySet)):  # type: ignore[misc]
    """Menus of the tenant in scope, in tree order.

    mptt moves whole tree ids with SQL that names no tenant. Every tenant therefore
    numbers its trees in a band of its own, so that this SQL never meets a row of
    another tenant.
    """

    def _get_next_tree_id(self) -> int:
        highest = self.aggregate(highest=Max("tree_id"))["highest"]
        first = first_tree_id(required_tenant_id())
        return first if highest is None else int(highest) + 1


class Icon(models.TextChoices):
    """Pictures of ``menus/icons.svg``."""

    NONE = "", _("none")
    FOLDER = "folder", _("folder")
    HOME = "home", _("home")
    CHART = "chart", _("chart")
    TABLE = "table", _("table")
    GAUGE = "gauge", _("gauge")
    CLOUD = "cloud", _("weather")
    PULSE = "pulse", _("pulse")
    SHIELD = "shield", _("shield")
    BOX = "box", _("box")
    PEOPLE = "people", _("people")
    BELL = "bell", _("bell")
    LINK = "link", _("link")


class Menu(MPTTModel, TenantModel):  # type: ignore[misc]
    """One node of a tenant's menu: a group, a screen, or a link.

    Written by ``menus.services`` only; saving or deleting a menu elsewhere raises.
    """

    class Kinds(models.TextChoices):
        GROUP = Kind.GROUP.value, _("group")
        SCREEN = Kind.SCREEN.value, _("screen")
        LINK = Kind.LINK.value, _("link")

    parent = TreeForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent"),
        help_text=_("The menu this one hangs under; empty for the top level."),
    )
    slug = models.SlugField(
        _("slug"),
        max_length=80,
        help_text=_("Name in addresses, such as weather: it opens at /m/weather/."),
    )
    label = models.JSONField(
        _("name"),
        validators=[validate_label],
        help_text=_('Name by language: {"ko": "날씨", "en": "Weather"}.'),
    )
    kind = models.CharField(
        _("kind"), max_length=8, choices=Kinds.choices, default=Kinds.GROUP
    )
    screen = models.ForeignKey(
        "screens.Screen",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="menus",
        verbose_name=_("screen"),
        help_text=_("What a menu of the kind screen opens."),
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        default="",
        validators=[validate_link],
        help_text=_("Where a menu of the kind link leads: https:// or http:// only."),
    )
    icon = models.CharField(
        _("icon"), max_length=16, choices=Icon.choices, blank=True, default=""
    )
    enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_("A disabled menu is hidden from everybody, with all below it."),
    )
    breaks_inheritance = models.BooleanField(
        _("break inheritance"),
        default=False,
        help_text=_(
            "Nothing given above counts here or below: only what is given on this "
            "menu, or below it."
        ),
    )
    # Wide, because every tenant has a million tree ids of its own.
    tree_id = models.PositiveBigIntegerField(db_index=True, editable=False)

    objects = MenuManager()  # type: ignore[misc]

    class Meta:
        ordering = ["tree_id", "lft"]
        verbose_name = _("menu")
        verbose_name_plural = _("menus")
        permissions = [("hide_menu", "Is denied this menu")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "slug"],
                name="menus_menu_slug_once_per_tenant",
                violation_error_message=_(
                    "Another menu has this slug. Choose a different one."
                ),
            ),
            models.CheckConstraint(
                condition=Q(kind="screen", screen__isnull=False)
                | (~Q(kind="screen") & Q(screen__isnull=True)),
                name="menus_menu_screen_of_its_kind",
                violation_error_message=_(
                    "A menu of the kind screen names a screen; other kinds name none."
                ),
            ),
            models.CheckConstraint(
                condition=(Q(kind="link") & ~Q(url="")) | (~Q(kind="link") & Q(url="")),
                name="menus_menu_address_of_its_kind",
                violation_error_message=_(
                    "A menu of the kind link has an address; other kinds have none."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.slug

    @property
    def name(self) -> str:
        """The label in the active language."""
        return Text(self.label or {}).in_language(get_language() or "ko")

    def get_absolute_url(self) -> str:
        return reverse("menu", args=[self.slug])

    def clean(self) -> None:
        # A form shows no tenant: a new row takes the one in scope when it is saved.
        tenant_id = self.tenant_id or required_tenant_id()
        if self.parent is not None and self.parent.tenant_id != tenant_id:
            raise ValidationError({"parent": _("This parent is not of this tenant.")})
        if self.screen is not None and self.screen.tenant_id != tenant_id:
            raise ValidationError({"screen": _("This screen is not of this tenant.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        _refuse_unless_unlocked()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        _refuse_unless_unlocked()
        super().delete(*args, **kwargs)


class MenuTree(TenantModel):
    """The stamp of a tenant's tree: its lock, and the number of its last change."""

    version = models.PositiveBigIntegerField(_("version"), default=0)

    class Meta:
        verbose_name = _("menu tree")
        verbose_name_plural = _("menu trees")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], name="menus_tree_once_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}:{self.version}"

    @classmethod
    def stamp(cls) -> None:
        """Take the lock of the tree in scope, and count one change.

        On PostgreSQL the row stays locked, on SQLite the database, until the end of
        the transaction.
        """
        if not cls.objects.update(version=F("version") + 1):
            cls.objects.get_or_create(tenant_id=required_tenant_id())
            cls.objects.update(version=F("version") + 1)


class MenuUserObjectPermission(UserObjectPermissionBase):
    """What one user was given on one menu: ``view_menu`` or ``hide_menu``."""

    content_object = models.ForeignKey(Menu, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("grant to a user")
        verbose_name_plural = _("grants to users")


class MenuGroupObjectPermission(GroupObjectPermissionBase):
    """What one team was given on one menu: ``view_menu`` or ``hide_menu``."""

    content_object = models.ForeignKey(Menu, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        verbose_name = _("grant to a team")
        verbose_name_plural = _("grants to teams")


class Favourite(TenantModel):
    """A menu a user pinned."""

    user = models.ForeignKey(
        "tenants.User", on_delete=models.CASCADE, related_name="favourites"
    )
    menu = models.ForeignKey(Menu, on_delete=models.CASCADE, related_name="favourites")
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        ordering = ["added_at"]
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "menu"], name="menus_favourite_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} ★ {self.menu_id}"


class RecentVisit(TenantModel):
    """When a user last opened a menu."""

    user = models.ForeignKey(
        "tenants.User", on_delete=models.CASCADE, related_name="recent_visits"
    )
    menu = models.ForeignKey(Menu, on_delete=models.CASCADE, related_name="visits")
    visited_at = models.DateTimeField(_("visited"))

    class Meta:
        ordering = ["-visited_at"]
        verbose_name = _("recent visit")
        verbose_name_plural = _("recent visits")
        constraints = [
            models.UniqueConstraint(fields=["user", "menu"], name="menus_visit_once")
        ]
        indexes = [
            models.Index(
                fields=["tenant", "user", "-visited_at"], name="menus_visit_newest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.menu_id}"
