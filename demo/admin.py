"""The demo's subscriptions in the admin."""

from django.contrib import admin

from demo.models import Subscription
from tenants.admin import TenantModelAdmin


@admin.register(Subscription)
class SubscriptionAdmin(TenantModelAdmin):
    list_display = ["plan", "seats", "ends_on"]
