"""What a data source held when every class of attack was tried on it."""

from __future__ import annotations

import json

from django.core.signing import BadSignature, Signer
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.data_sources import DataSource
from tenants.models import TenantModel

_SIGNER = "connectors.query-safety-check"


class QuerySafetyCheck(TenantModel):
    """One run of ``verify_query_safety``, signed with the portal's secret key."""

    source = models.ForeignKey(
        DataSource,
        on_delete=models.CASCADE,
        related_name="safety_checks",
        verbose_name=_("data source"),
    )
    checked_at = models.DateTimeField(_("checked"), default=timezone.now)
    database = models.CharField(_("database"), max_length=80)
    held = models.BooleanField(
        _("all held"), help_text=_("Every statement that was tried was stopped.")
    )
    results = models.JSONField(_("results"), default=list)
    signature = models.CharField(_("signature"), max_length=100)

    class Meta:
        ordering = ["-checked_at", "-pk"]
        get_latest_by = "checked_at"
        verbose_name = _("query safety check")
        verbose_name_plural = _("query safety checks")

    def __str__(self) -> str:
        return f"{self.source}, {self.checked_at:%Y-%m-%d %H:%M} UTC"

    def sign(self) -> None:
        """Sign what the row says. The caller saves."""
        self.signature = _signer().signature(self._content())

    def is_genuine(self) -> bool:
        """Tell whether the row says what was signed."""
        try:
            _signer().unsign(f"{self._content()}:{self.signature}")
        except BadSignature:
            return False
        return True

    def _content(self) -> str:
        said = {
            "tenant": self.tenant_id or self.source.tenant_id,
            "source": self.source_id,
            "key": self.source.key,
            "checked_at": self.checked_at.isoformat(timespec="microseconds"),
            "database": self.database,
            "held": self.held,
            "results": self.results,
        }
        return json.dumps(said, sort_keys=True, ensure_ascii=False)


def _signer() -> Signer:
    return Signer(salt=_SIGNER)
