"""The address of the copilot's tab in the screen editor."""

from django.urls import path

from copilot import views

urlpatterns = [
    path("<slug:key>/copilot/", views.show_panel, name="copilot-panel"),
]
