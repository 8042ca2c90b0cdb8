"""Every page of the admin answers, in both languages, and no list grows its queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils.html import strip_tags

from config import foreign_messages
from demo.loader import load_demo
from tenants.metering import today
from tenants.models import Team, Tenant, TenantErasure, TenantUsage, User
from tenants.scope import using_tenant

BACKEND = "tenants.backends.TenantBackend"
HANBIT = "hanbit"
NOTHING_OF_STAFF = ("axes", "django_tasks_database", "guardian", "mptt")
OF_SUPERUSERS = ("tenants",)
# Copies of these models are other rows when these fields differ.
NAMES = ("key", "slug", "username", "number", "digest", "prefix")


@pytest.fixture
def demo(db: None) -> Tenant:
    load_demo()
    return Tenant.objects.get(key=HANBIT)


def signed_in(username: str, language: str, tenant: Tenant) -> Client:
    user = User.objects.get(username=username)
    user.language = language
    user.save()
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend=BACKEND)
    client.post("/switch-tenant/", {"key": tenant.key, "next": "/"})
    return client


def rows_of(model: type[models.Model], tenant: Tenant) -> models.QuerySet[Any]:
    rows = model._base_manager.order_by("pk")
    named = {field.name for field in model._meta.fields}
    return rows.filter(tenant=tenant) if "tenant" in named else rows


def pages_of(model: type[models.Model], tenant: Tenant) -> Iterator[str]:
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    yield reverse(f"{prefix}_changelist")
    yield reverse(f"{prefix}_add")
    row = rows_of(model, tenant).first()
    if row is None:
        return
    for page in ("change", "history", "delete", "test", "try"):
        try:
            yield reverse(f"{prefix}_{page}", args=[row.pk])
        except NoReverseMatch:
            continue


def every_page(tenant: Tenant) -> Iterator[str]:
    yield from ("/admin/", "/admin/password_change/", "/admin/jsi18n/")
    labels = {model._meta.app_label for model in admin.site._registry}
    for label in sorted(labels):
        yield reverse("admin:app_list", args=[label])
    for model in admin.site._registry:
        yield from pages_of(model, tenant)
    yield from ("/screens/weather/edit/", "/screens/weather/edit/?version=1")
    yield from ("/screens/weather/properties/", "/screens/weather/versions/")
    yield "/screens/weather/properties/?open=/blocks/3"
    yield "/screens/weather/compare/?from=1&to=1"
    yield "/screens/weather/copilot/"
    yield "/admin/copilot/evaluationrun/reliability/"


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("username", ["admin", "operator"])
def test_every_page_of_the_admin_answers(
    demo: Tenant, username: str, language: str
) -> None:
    client = signed_in(username, language, demo)

    answers = {page: client.get(page).status_code for page in every_page(demo)}

    assert len(answers) > 60
    odd = {page: code for page, code in answers.items() if code not in {200, 302, 403}}
    # An app of which somebody may see nothing has no page for them.
    hidden = {f"/admin/{label}/" for label in (*NOTHING_OF_STAFF, *OF_SUPERUSERS)}
    assert {code for page, code in odd.items() if page in hidden} <= {404}
    assert odd.keys() <= (hidden if username == "operator" else set())


def test_staff_of_a_tenant_see_its_own_apps_in_the_order_of_the_work(
    demo: Tenant,
) -> None:
    html = signed_in("operator", "ko", demo).get("/admin/").content.decode()

    apps = re.findall(r'class="app-(\w+) module', html)
    assert apps == [
        "menus", "screens", "copilot", "branching", "connectors", "observability",
        "demo",
    ]  # fmt: skip
    assert not set(apps) & set(NOTHING_OF_STAFF)


@pytest.mark.parametrize("username", ["admin", "operator"])
def test_the_index_has_no_english_name_in_korean(demo: Tenant, username: str) -> None:
    html = signed_in(username, "ko", demo).get("/admin/").content.decode()

    rows = re.findall(
        r'<(?:th scope="row"|caption).*?</(?:th|caption)>', html, re.DOTALL
    )
    names = [strip_tags(row).strip() for row in rows]
    assert names
    english = [name for name in names if not re.search("[가-힣]", name)]
    assert english == []


def test_korean_pages_of_menus_show_no_english_of_mptt_or_guardian(
    demo: Tenant,
) -> None:
    client = signed_in("admin", "ko", demo)
    pages = [page for page in every_page(demo) if page.startswith("/admin/menus/")]
    messages = foreign_texts()

    for page in pages:
        shown = strip_tags(client.get(page).content.decode())
        lines = {line.strip() for line in shown.splitlines()}
        assert lines.isdisjoint(messages), page


def test_what_mptt_and_guardian_say_is_korean() -> None:
    from django.utils.translation import gettext, override

    with override("ko"):
        english = [text for text in foreign_texts() if gettext(text) == text]

    assert english == []


def foreign_texts() -> set[str]:
    source = foreign_messages.__file__
    assert source is not None
    text = Path(source).read_text(encoding="utf-8")
    return set(re.findall(r'gettext_noop\("(.+)"\)', text))


def copies(row: Any, count: int) -> None:
    """Store copies of a row below every check: only the list is of interest."""
    for number in range(count):
        copy = type(row)._base_manager.get(pk=row.pk)
        copy.pk = None
        copy._state.adding = True
        for name in NAMES:
            if isinstance(value := getattr(copy, name, None), str):
                setattr(copy, name, f"{value}-{number}"[-16:])
            elif isinstance(value, int):
                setattr(copy, name, value + number + 1)
        if isinstance(copy, TenantUsage):
            copy.day -= timedelta(days=number + 1)
        copy.save_base(raw=True, force_insert=True)


def lists() -> list[type[models.Model]]:
    own = {"connectors", "branching", "menus", "screens", "tenants"}
    single = {"User", "Tenant", "AuditEntry"}  # copied below by their own means
    return [
        model
        for model in admin.site._registry
        if model._meta.app_label in own and model.__name__ not in single
    ]


@pytest.mark.parametrize("model", lists(), ids=lambda model: model.__name__)
def test_a_list_asks_no_more_for_twenty_rows_than_for_one(
    demo: Tenant, model: type[models.Model]
) -> None:
    client = signed_in("admin", "en", demo)
    address = reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    )
    with using_tenant(demo):
        make_first(model, demo)
    few = queries_of(client, address)

    with using_tenant(demo):
        row = rows_of(model, demo).first()
        if model is Team:
            for number in range(19):
                Team.objects.create(tenant=demo, label=f"Team {number}")
        else:
            copies(row, 19)
    many = queries_of(client, address)

    assert rows_of(model, demo).count() >= 20
    assert many == few


def make_first(model: type[models.Model], tenant: Tenant) -> None:
    if model is TenantUsage:
        TenantUsage.objects.create(tenant=tenant, day=today())
    if model is TenantErasure:
        TenantErasure.objects.create(number=9, key="gone", reason="over")
    if model.__name__ == "ApiToken":
        user = User.objects.get(username="admin")
        model._base_manager.create(
            tenant=tenant, user=user, name="t", prefix="p", digest="d", scopes=["read"],
            expires_at=user.date_joined,
        )  # fmt: skip
    if model.__name__ == "QuerySafetyCheck":
        call_command("verify_query_safety", data_source="demo-sql", stdout=StringIO())
    if model.__name__ == "PersonalReveal":
        user = User.objects.get(username="admin")
        model._base_manager.create(
            tenant=tenant, user=user, operation_key="o", place="s", purpose="page",
            reason="Ticket 4711", since=user.date_joined, until=user.date_joined,
        )  # fmt: skip


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)
