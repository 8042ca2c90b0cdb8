"""Addresses for machines that watch, and the latency table for staff."""

from django.urls import path, re_path

from observability import log_views, trace_views, views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("admin-tools/latency/", views.latency, name="latency"),
    path("admin-tools/logs/", log_views.logs, name="logs"),
    path("admin-tools/traces/", trace_views.traces, name="traces"),
    re_path(
        r"^admin-tools/traces/(?P<trace_id>[0-9a-f]{32})/$",
        trace_views.trace,
        name="trace",
    ),
]
