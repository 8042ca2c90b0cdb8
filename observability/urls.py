"""Addresses for machines that watch, and the latency table for staff."""

from django.urls import path

from observability import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("admin-tools/latency/", views.latency, name="latency"),
]
