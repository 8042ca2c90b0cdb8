"""What people do with alerts: take one, and set up the usual rules."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from observability import alerting
from observability.alerting import Pace, Phase
from observability.evaluation import tell_acknowledged
from observability.models import Alert, AlertRule, Objective
from tenants.audit import record
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant


def acknowledge(alert_id: int, *, actor: Actor) -> Alert | None:
    """Take a firing alert of the actor's tenant: it is told, and not repeated.

    Returns:
        The alert; None when it is not firing any more, or somebody has it already.

    Raises:
        Alert.DoesNotExist: the actor's tenant has no such alert.
    """
    with using_tenant(actor.tenant_id), transaction.atomic():
        # Rule first, like the evaluation: the order of locks prevents a deadlock.
        rules = AlertRule.objects.filter(alerts=alert_id).select_for_update()
        if not list(rules):
            raise Alert.DoesNotExist(f"no alert {alert_id} in this tenant")
        alert = Alert.objects.select_related("rule__objective").get(pk=alert_id)
        if alert.phase != Phase.FIRING:
            return None
        now = timezone.now()
        alert.phase = alerting.acknowledge(alert.state()).phase.value
        alert.acknowledged_at = alert.told_at = now
        alert.acknowledged_by = User.objects.get(pk=actor.user_id)
        alert.save()
        record(actor=actor, action="alert.acknowledged", target=alert)
        tenant = Tenant.objects.get(pk=actor.tenant_id)
        tell_acknowledged(alert, tenant=tenant, at=now)
    return alert


def add_burn_rules(objective: Objective, *, actor: Actor) -> list[AlertRule]:
    """Add the workbook's three burn-rate rules an objective does not have yet.

    Their keys are the objective's with ``-fast``, ``-medium`` and ``-slow``.
    """
    added = []
    with using_tenant(actor.tenant_id), transaction.atomic():
        present = set(objective.rules.values_list("pace", flat=True))
        for pace in Pace:
            if pace.value in present:
                continue
            rule = AlertRule(
                key=f"{objective.key[:70]}-{pace.value}",
                label=_labels(objective, pace),
                type=AlertRule.Type.BURN,
                objective=objective,
                pace=pace.value,
            )
            rule.full_clean()
            rule.save()
            record(actor=actor, action="alertrule.added", target=rule)
            added.append(rule)
    return added


def _labels(objective: Objective, pace: Pace) -> dict[str, str]:
    labels = {}
    for language in ("ko", "en"):
        with override(language):
            words = {
                Pace.FAST: _("%(name)s: budget burns fast"),
                Pace.MEDIUM: _("%(name)s: budget burns"),
                Pace.SLOW: _("%(name)s: budget burns slowly"),
            }
            labels[language] = words[pace] % {"name": objective.name}
    return labels
