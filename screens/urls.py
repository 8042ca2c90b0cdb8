"""Addresses of the editors; readers reach a screen through a menu."""

from django.urls import path

from screens import views

urlpatterns = [
    path("schema.json", views.schema, name="screen-schema"),
    path("<slug:key>/edit/", views.edit, name="screen-edit"),
    path("<slug:key>/preview/", views.preview, name="screen-preview"),
    path("<slug:key>/compare/", views.compare, name="screen-compare"),
    path("<slug:key>/publish/", views.publish, name="screen-publish"),
    path("<slug:key>/revert/", views.revert, name="screen-revert"),
]
