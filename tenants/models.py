"""Users, tenants, teams, and the base every stored row of a tenant derives from."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, Group
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.audit_models import AuditChain, AuditEntry, AuditIsFinal
from tenants.lifecycle_models import TenantErasure, TenantUsage
from tenants.quotas import Quota
from tenants.scope import WrongTenant, active_tenant_id, required_tenant_id
from tenants.tenant_model import TenantManager, TenantModel

__all__ = [
    "LONGEST_TOKEN_LIFE",
    "ApiToken",
    "AuditChain",
    "AuditEntry",
    "AuditIsFinal",
    "Language",
    "Membership",
    "Team",
    "Tenant",
    "TenantErasure",
    "TenantManager",
    "TenantModel",
    "TenantUsage",
    "TokenScope",
    "User",
    "validate_scopes",
    "validate_tenant_key",
    "validate_time_zone",
]

# Words that commands, messages or addresses use for something else than a tenant.
RESERVED_KEYS = frozenset(
    {"admin", "all", "api", "default", "none", "portal", "shared", "static", "system"}
)
_KEY = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")


def validate_time_zone(name: str) -> None:
    """Refuse a name the IANA time zone database does not have."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(name)s is not a time zone. Use an IANA name such as Asia/Seoul."),
            code="unknown-time-zone",
            params={"name": name},
        )


def validate_tenant_key(key: str) -> None:
    """Refuse a key that is reserved, or could be taken for another one."""
    if key in RESERVED_KEYS:
        raise ValidationError(
            _("The key “%(key)s” is reserved by the portal. Choose another."),
            code="reserved-key",
            params={"key": key},
        )
    if not _KEY.fullmatch(key):
        raise ValidationError(
            _(
                "“%(key)s” cannot be a key. Use small letters from a to z, digits, and "
                "single hyphens between them; at least one letter, such as acme-2."
            ),
            code="ill-formed-key",
            params={"key": key},
        )


class Language(models.TextChoices):
    """Languages of the portal; the names are not translated on purpose."""

    KOREAN = "ko", "한국어"
    ENGLISH = "en", "English"


class User(AbstractUser):
    """A person or a service account. Tenants are reached through memberships."""

    language = models.CharField(
        _("language"),
        max_length=8,
        choices=Language.choices,
        default=Language.KOREAN,
        help_text=_("Language of pages and messages for this user."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="Asia/Seoul",
        validators=[validate_time_zone],
        help_text=_("IANA name, such as Asia/Seoul. Times are shown in this zone."),
    )

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


class TenantQuerySet(models.QuerySet["Tenant"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def open_to(self, user: User) -> Self:
        """Active tenants this user may enter: a superuser any, others their own."""
        if user.is_superuser:
            return self.active()
        return self.active().filter(memberships__user=user)


class Tenant(models.Model):
    """A customer of the portal. No tenant ever sees another's rows."""

    key = models.SlugField(
        _("key"),
        max_length=40,
        unique=True,
        validators=[validate_tenant_key],
        help_text=_("Short name used in commands, logs and keys, such as acme."),
    )
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Members of an inactive tenant cannot enter it."),
    )
    suspension_reason = models.CharField(
        _("why it is suspended"),
        max_length=300,
        blank=True,
        help_text=_("For superusers and the audit trail; members do not read it."),
    )
    suspended_at = models.DateTimeField(_("suspended"), null=True, editable=False)
    suspended_by = models.ForeignKey(
        User,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        verbose_name=_("suspended by"),
    )
    max_queries_per_day = models.PositiveBigIntegerField(
        _("queries a day"),
        null=True,
        blank=True,
        help_text=_("Calls of operations; empty for no limit."),
    )
    max_rows_per_day = models.PositiveBigIntegerField(
        _("rows a day"),
        null=True,
        blank=True,
        help_text=_("Rows that its operations give back; empty for no limit."),
    )
    max_storage_bytes = models.PositiveBigIntegerField(
        _("storage (bytes)"),
        null=True,
        blank=True,
        help_text=_(
            "Its rows in the portal's own database, measured every hour; empty for no "
            "limit. Above it, staff cannot add rows in the admin."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")

    def __str__(self) -> str:
        return self.name

    def quota(self) -> Quota:
        return Quota(
            self.max_queries_per_day, self.max_rows_per_day, self.max_storage_bytes
        )


class MembershipQuerySet(models.QuerySet["Membership"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        for membership in self:
            membership.leave_teams()
        return super().delete()


class Membership(models.Model):
    """One user belongs to one tenant. Who leaves a tenant leaves its teams."""

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("user"),
    )
    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("tenant"),
    )
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["tenant__name", "user__username"]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "tenant"], name="tenants_membership_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} @ {self.tenant}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.leave_teams()
        return super().delete(*args, **kwargs)

    def leave_teams(self) -> None:
        teams = Team.objects.filter(tenant_id=self.tenant_id)
        self.user.groups.remove(*teams.values_list("pk", flat=True))


class TeamQuerySet(models.QuerySet["Team"]):
    def of(self, *, user_id: int, tenant_id: int) -> Self:
        """Teams of a tenant that count for a user, who must be its member."""
        return self.filter(
            tenant_id=tenant_id, user=user_id, tenant__memberships__user_id=user_id
        )


class Team(Group):
    """A group of users inside one tenant; grants go to teams first.

    The name of the group beneath is ``<tenant key>:<label>``, because Django keeps
    group names unique over the whole table.
    """

    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        related_name="teams",
        editable=False,
        verbose_name=_("tenant"),
    )
    label = models.CharField(
        _("name"),
        max_length=80,
        help_text=_("Name of the team inside its tenant, such as Operators."),
    )

    objects: ClassVar = TeamQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["label"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "label"], name="tenants_team_label_once_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def users(self) -> models.QuerySet[User]:
        """Users of the team who are still members of its tenant."""
        return User.objects.filter(
            groups=self.pk, memberships__tenant_id=self.tenant_id
        ).distinct()

    def add(self, user: User) -> None:
        """Put a member of the tenant on the team.

        Raises:
            WrongTenant: the user is no member of the team's tenant.
        """
        if not user.memberships.filter(tenant_id=self.tenant_id).exists():
            raise WrongTenant(
                f"User {user.pk} is no member of tenant {self.tenant_id}. "
                "Add the membership before the team."
            )
        user.groups.add(self.pk)

    def remove(self, user: User) -> None:
        user.groups.remove(self.pk)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        if not self.tenant_id and (tenant_id := active_tenant_id()):
            self.tenant_id = tenant_id
        super().validate_constraints(exclude=set(exclude or ()) - {"tenant"})

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.tenant_id:
            self.tenant_id = required_tenant_id()
        self.name = f"{self.tenant.key}:{self.label}"
        super().save(*args, **kwargs)


class TokenScope(models.TextChoices):
    """What a token may do; it never may do more than its user."""

    READ = "read", _("read: menus, screens and their data")
    RUN = "run", _("run: operations and blocks")
    EXPORT = "export", _("export: whole results as files")


LONGEST_TOKEN_LIFE = timedelta(days=366)


def validate_scopes(scopes: object) -> None:
    """Refuse anything but a list of one or more known scopes."""
    known = set(TokenScope.values)
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= known:
        raise ValidationError(
            _("Give a list of one or more of: %(known)s."),
            code="unknown-scope",
            params={"known": ", ".join(TokenScope.values)},
        )


class ApiToken(TenantModel):
    """A key to the API: one user in one tenant. Only its SHA-256 is stored."""

    sealed_fields = ("digest", "prefix")

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("user"),
        help_text=_("The token acts as this user, with no more rights than theirs."),
    )
    name = models.CharField(
        _("name"), max_length=80, help_text=_("What uses this token, such as nightly.")
    )
    prefix = models.CharField(_("prefix"), max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(
        _("scopes"), validators=[validate_scopes], help_text=_("What it may do.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(
        _("expires"), help_text=_("At most 366 days from today.")
    )
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def clean(self) -> None:
        expires_at: Any = self.expires_at  # None while a form lacks it
        created_at = timezone.now() if self._state.adding else self.created_at
        if expires_at and expires_at > created_at + LONGEST_TOKEN_LIFE:
            raise ValidationError(
                {
                    "expires_at": _(
                        "A token lives at most 366 days. Choose an earlier date."
                    )
                },
                code="token-lives-too-long",
            )

    def is_usable(self, *, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at
