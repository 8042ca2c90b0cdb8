"""Addresses of the editors; readers reach a screen through a menu."""

from django.urls import path

from screens import property_views, version_views, views

urlpatterns = [
    path("schema.json", views.schema, name="screen-schema"),
    path("<slug:key>/edit/", views.edit, name="screen-edit"),
    path("<slug:key>/properties/", property_views.properties, name="screen-properties"),
    path("<slug:key>/preview/", views.preview, name="screen-preview"),
    path("<slug:key>/versions/", version_views.versions, name="screen-versions"),
    path("<slug:key>/compare/", version_views.compare, name="screen-compare"),
    path("<slug:key>/publish/", version_views.publish, name="screen-publish"),
    path("<slug:key>/revert/", version_views.revert, name="screen-revert"),
    path("<slug:key>/copy/", version_views.copy, name="screen-copy"),
]
