"""The floor: a bare Django view that shows the same rows, by hand.

Session, user and a Django template, nothing else; once alone and once inside the
admin's page. Served with ``DJANGO_SETTINGS_MODULE=benchmarks.bare_settings``.
"""

from __future__ import annotations

import sqlite3

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from benchmarks.portal import QUERY, readings_path
from config.system import system


@login_required
def rows(request: HttpRequest, *, template: str) -> HttpResponse:
    """Show the newest rows."""
    connection = sqlite3.connect(f"file:{readings_path()}?mode=ro", uri=True)
    try:
        cursor = connection.execute(QUERY)
        names = [column[0] for column in cursor.description]
        found = cursor.fetchall()
    finally:
        connection.close()
    context = {"names": names, "rows": found}
    if "admin" in template:
        context |= admin.site.each_context(request)
    return render(request, f"benchmarks/{template}.html", context)


urlpatterns = [
    path("plain/", rows, {"template": "rows"}),
    path("admin-page/", rows, {"template": "rows_in_admin"}),
    path("admin/", admin.site.urls),
    # The admin's pages name these.
    path("", include("observability.urls")),
    path("admin-tools/system/", system, name="system"),
]
