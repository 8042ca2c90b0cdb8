"""Objectives, alerts and what is told about them, for the staff of a tenant."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from observability.alert_forms import (
    AlertChannelForm,
    AlertRuleForm,
    ObjectiveForm,
    SilenceForm,
)
from observability.alerts import acknowledge, add_burn_rules
from observability.models import (
    Alert,
    AlertChannel,
    AlertRule,
    Delivery,
    Objective,
    Silence,
)
from observability.notifications import write_test
from observability.outbox import send_again
from tenants.admin import TenantModelAdmin
from tenants.models import Tenant
from tenants.scope import Actor, required_tenant_id


@admin.register(Objective)
class ObjectiveAdmin(TenantModelAdmin):
    form = ObjectiveForm
    list_display = [
        "key",
        "kind",
        "measured_key",
        "type",
        "target",
        "window_days",
        "owner",
        "enabled",
    ]
    list_filter = ["kind", "type", "enabled"]
    list_select_related = ["owner"]
    search_fields = ["key", "measured_key"]
    actions = ["add_rules"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        own = [
            "key",
            "label",
            ("kind", "measured_key"),
            ("type", "threshold_ms"),
            ("target", "window_days"),
            "owner",
            "enabled",
        ]
        return own if obj else [*own, "with_rules"]

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if not change and form.cleaned_data.get("with_rules"):
            add_burn_rules(form.instance, actor=Actor.of(request))

    @admin.action(
        description=gettext_lazy("Add the three burn-rate rules"),
        permissions=["change"],
    )
    def add_rules(self, request: HttpRequest, rows: QuerySet[Objective]) -> None:
        actor = Actor.of(request)
        count = sum(len(add_burn_rules(row, actor=actor)) for row in rows)
        text = ngettext("Added %d rule.", "Added %d rules.", count)
        self.message_user(request, text % count)


@admin.register(AlertRule)
class AlertRuleAdmin(TenantModelAdmin):
    form = AlertRuleForm
    list_display = [
        "key",
        "type",
        "objective",
        "pace",
        "metric",
        "limit",
        "owner",
        "enabled",
        "no_data_since",
    ]
    list_filter = ["type", "pace", "enabled"]
    list_select_related = ["objective", "owner"]
    search_fields = ["key", "measured_key", "objective__key"]
    filter_horizontal = ["channels"]
    readonly_fields = ["evaluated_until", "no_data_since"]
    fieldsets = [
        (None, {"fields": ["key", "label", "type", "owner", "enabled"]}),
        (
            gettext_lazy("A budget that burns"),
            {"fields": ["objective", "pace", "minimum_bad"]},
        ),
        (
            gettext_lazy("A number beyond a limit"),
            {
                "fields": [
                    ("kind", "measured_key"),
                    ("metric", "direction", "limit"),
                    ("window_minutes", "minimum_events"),
                ]
            },
        ),
        (
            gettext_lazy("When it fires and ends"),
            {"fields": ["pending_minutes", "hold_minutes", "channels"]},
        ),
        (
            gettext_lazy("Evaluation"),
            {"fields": ["evaluated_until", "no_data_since"]},
        ),
    ]


class WrittenByThePortal(TenantModelAdmin):
    """Rows that people act on by buttons, and never edit."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Alert)
class AlertAdmin(WrittenByThePortal):
    list_display = [
        "rule",
        "phase",
        "opened_at",
        "fired_at",
        "acknowledged_by",
        "resolved_at",
        "peak",
    ]
    list_filter = ["phase", "rule", "opened_at"]
    list_select_related = ["rule", "acknowledged_by"]
    search_fields = ["rule__key"]
    actions = ["take"]
    change_form_template = "observability/alert_change_form.html"
    fields = [
        "rule",
        "phase",
        "opened_at",
        "fired_at",
        "acknowledged_at",
        "acknowledged_by",
        "resolved_at",
        "told_at",
        "met_for",
        "clear_for",
        "peak",
    ]

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("observability.change_alert")

    @admin.action(
        description=gettext_lazy("Acknowledge selected alerts"),
        permissions=["acknowledge"],
    )
    def take(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        actor = Actor.of(request)
        pks = list(alerts.values_list("pk", flat=True))
        taken = sum(acknowledge(pk, actor=actor) is not None for pk in pks)
        text = ngettext("Acknowledged %d alert.", "Acknowledged %d alerts.", taken)
        self.message_user(request, text % taken)
        if others := len(pks) - taken:
            text = ngettext(
                "%d alert is not firing, or somebody has it already.",
                "%d alerts are not firing, or somebody has them already.",
                others,
            )
            self.message_user(request, text % others, messages.WARNING)

    def get_urls(self) -> list[Any]:
        take_one = path(
            "<int:pk>/acknowledge/",
            self.admin_site.admin_view(self.acknowledge_view),
            name="observability_alert_acknowledge",
        )
        return [take_one, *super().get_urls()]

    def acknowledge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Acknowledge one alert on POST, and go back to it."""
        if request.method != "POST":
            raise Http404
        if not self.has_acknowledge_permission(request):
            raise PermissionDenied
        try:
            taken = acknowledge(pk, actor=Actor.of(request))
        except Alert.DoesNotExist as error:
            raise Http404 from error
        if taken is None:
            text = _("This alert is not firing, or somebody has it already.")
            self.message_user(request, text, messages.WARNING)
        else:
            self.message_user(request, _("You have this alert now."))
        return HttpResponseRedirect(
            reverse("admin:observability_alert_change", args=[pk])
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        may = self.has_acknowledge_permission(request)
        context = {**(extra_context or {}), "may_acknowledge": may}
        return super().changeform_view(request, object_id, form_url, context)


@admin.register(Silence)
class SilenceAdmin(TenantModelAdmin):
    form = SilenceForm
    list_display = [
        "reason",
        "objective",
        "rule",
        "kind",
        "measured_key",
        "starts_at",
        "ends_at",
        "author",
    ]
    list_filter = ["starts_at"]
    list_select_related = ["objective", "rule", "author"]
    search_fields = ["reason"]
    fields = [
        "reason",
        ("objective", "rule"),
        ("kind", "measured_key"),
        "starts_at",
        "ends_at",
    ]
    actions = ["end_now"]

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if not change:
            obj.author = request.user
        super().save_model(request, obj, form, change)

    @admin.action(
        description=gettext_lazy("End selected silences now"), permissions=["change"]
    )
    def end_now(self, request: HttpRequest, silences: QuerySet[Silence]) -> None:
        now = timezone.now()
        active = list(silences.filter(starts_at__lt=now, ends_at__gt=now))
        for silence in active:
            before, silence.ends_at = silence.ends_at, now
            silence.save(update_fields=["ends_at"])
            changes = {"ends_at": [before.isoformat(), now.isoformat()]}
            self.audit(request, "changed", silence, changes)
        text = ngettext("Ended %d silence.", "Ended %d silences.", len(active))
        self.message_user(request, text % len(active))


@admin.register(AlertChannel)
class AlertChannelAdmin(TenantModelAdmin):
    form = AlertChannelForm
    list_display = ["key", "kind", "target", "language", "enabled"]
    list_filter = ["kind", "enabled"]
    search_fields = ["key"]
    fields = [
        "key",
        "label",
        "kind",
        "recipients",
        "url",
        "new_secret",
        "language",
        "enabled",
    ]
    audit_secret_fields = ["new_secret"]
    actions = ["test"]

    @admin.display(description=gettext_lazy("target"), ordering="url")
    def target(self, channel: AlertChannel) -> str:
        return channel.url or ", ".join(channel.addresses)

    @admin.action(
        description=gettext_lazy("Send a test to selected channels"),
        permissions=["change"],
    )
    def test(self, request: HttpRequest, channels: QuerySet[AlertChannel]) -> None:
        tenant = Tenant.objects.get(pk=required_tenant_id())
        enabled = list(channels.filter(enabled=True))
        for channel in enabled:
            write_test(channel, tenant=tenant)
            self.audit(request, "tested", channel, {})
        text = ngettext(
            "A test to %d channel is on its way. Deliveries tell whether it arrived.",
            "Tests to %d channels are on their way. Deliveries tell whether they "
            "arrived.",
            len(enabled),
        )
        self.message_user(request, text % len(enabled))


@admin.register(Delivery)
class DeliveryAdmin(WrittenByThePortal):
    list_display = [
        "subject",
        "channel",
        "event",
        "state",
        "attempts",
        "created_at",
        "sent_at",
        "due_at",
        "last_error",
    ]
    list_filter = ["state", "event", "channel", "created_at"]
    search_fields = ["subject", "last_error"]
    fields = [
        "subject",
        "text",
        "channel",
        "alert",
        "event",
        "delivery_id",
        "state",
        "attempts",
        "created_at",
        "due_at",
        "retry_until",
        "sent_at",
        "last_error",
    ]
    actions = ["again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The page of one delivery writes its alert, which writes its rule.
        rows = super().get_queryset(request)
        return rows.select_related("channel", "alert__rule")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("observability.change_delivery")

    @admin.action(
        description=gettext_lazy("Send given-up deliveries again"),
        permissions=["resend"],
    )
    def again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        dead = list(deliveries.filter(state=Delivery.State.DEAD))
        count = send_again(dead)
        for delivery in dead:
            self.audit(request, "resent", delivery, {})
        text = ngettext(
            "%d delivery is tried for another day.",
            "%d deliveries are tried for another day.",
            count,
        )
        self.message_user(request, text % count)
