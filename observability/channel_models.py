"""Channels: where notifications go."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from observability.objective_models import Named
from tenants import sealing
from tenants.models import Language

SHORTEST_SECRET = 16


def recipients_of(text: str) -> list[str]:
    """Return the addresses of a text: separated by commas, blanks or line breaks."""
    return text.replace(",", " ").split()


def validate_recipients(text: str) -> None:
    """Refuse a text that holds anything but e-mail addresses."""
    for address in recipients_of(text):
        try:
            validate_email(address)
        except ValidationError as error:
            raise ValidationError(
                _("%(found)s is not an e-mail address. Separate addresses by commas."),
                code="recipient",
                params={"found": address[:80]},
            ) from error


class AlertChannel(Named):
    """Where notifications go: e-mail addresses, or one signed webhook."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("e-mail")
        WEBHOOK = "webhook", _("signed webhook")

    sealed_fields = ("secret",)
    fields_about_people = ("recipients",)

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    recipients = models.TextField(
        _("recipients"),
        blank=True,
        default="",
        validators=[validate_recipients],
        help_text=_("E-mail: addresses, separated by commas. Empty otherwise."),
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        default="",
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_(
            "Webhook: https://host/path. Inner addresses only where "
            "SIGNALBOX_INTERNAL_NETWORKS lists them. Empty otherwise."
        ),
    )
    secret = models.TextField(_("secret"), blank=True, default="", editable=False)
    language = models.CharField(
        _("language"),
        max_length=8,
        choices=Language.choices,
        default=Language.KOREAN,
        help_text=_("Language of the notifications."),
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Nothing is sent while it is off.")
    )

    class Meta:
        ordering = ["key"]
        verbose_name = _("alert channel")
        verbose_name_plural = _("alert channels")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="observability_channel_key_once_per_tenant",
            ),
            models.CheckConstraint(
                condition=Q(kind="email", url="") & ~Q(recipients="")
                | Q(kind="webhook", recipients="") & ~Q(url=""),
                name="observability_channel_has_what_its_kind_needs",
                violation_error_message=_(
                    "An e-mail channel needs recipients and no address; a webhook "
                    "needs an address and no recipients."
                ),
            ),
        ]

    @property
    def addresses(self) -> list[str]:
        return recipients_of(self.recipients)

    def put_secret(self, plain: str) -> None:
        self.secret = sealing.seal(plain)

    def plain_secret(self) -> str:
        """Return the secret that signs.

        Raises:
            tenants.sealing.Unopened: no key of this installation opens it.
        """
        return sealing.unseal(self.secret)
