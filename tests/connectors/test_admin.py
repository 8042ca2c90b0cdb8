"""The admin pages of data sources and operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import DataSource, Operation, Parameter
from connectors.secrets import unseal
from tenants.models import Tenant, User
from tests.connectors.conftest import SECRET

Make = Callable[..., Operation]


@pytest.fixture
def staff(user: User, client: Client) -> Client:
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user)
    return client


def form_of(source: DataSource, **fields: Any) -> dict[str, Any]:
    return {
        "key": source.key, "label": "{}", "kind": source.kind,
        "address": source.address, "auth": "bearer", "username": "", "headers": "{}",
        "connect_timeout_ms": 2000, "read_timeout_ms": 10000,
        "max_body_bytes": 10485760, "verify_tls": "on", "enabled": "on",
        "new_secret": "",
    } | fields  # fmt: skip


def inline(*rows: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {
        "parameters-TOTAL_FORMS": len(rows),
        "parameters-INITIAL_FORMS": 0,
    }
    for number, row in enumerate(rows):
        full = {"type": "text", "choices": "[]", "label": "{}", "order": 0} | row
        form |= {f"parameters-{number}-{name}": value for name, value in full.items()}
    return form


def operation_form(source: DataSource, **fields: Any) -> dict[str, Any]:
    return {
        "key": "new", "label": "{}", "source": source.pk, "enabled": "on",
        "method": "GET", "path": "/json", "query": "{}", "headers": "{}",
        "body_kind": "none", "body": "", "body_format": "auto", "rows_path": "",
        "columns": "[]", "sql": "", "series": "", "timeout_ms": 3000,
        "row_limit": 100, "keep_last_good_s": 0,
    } | fields  # fmt: skip


def test_a_secret_is_written_kept_and_never_shown(staff: Client, stored: Make) -> None:
    source = stored().source
    page = reverse("admin:connectors_datasource_change", args=[source.pk])

    set_it = staff.post(page, form_of(source, new_secret=SECRET))
    kept = staff.post(page, form_of(source))
    shown = staff.get(page).content.decode()

    assert (set_it.status_code, kept.status_code) == (302, 302)
    source.refresh_from_db()
    assert unseal(source.secret) == SECRET
    assert SECRET not in shown
    assert source.secret not in shown
    assert "…Zq" in shown


def test_a_secret_can_be_removed_but_not_both(staff: Client, stored: Make) -> None:
    source = stored().source
    source.set_secret(SECRET)
    source.save()
    page = reverse("admin:connectors_datasource_change", args=[source.pk])

    both = staff.post(page, form_of(source, new_secret="x", remove_secret="on"))
    staff.post(page, form_of(source, remove_secret="on"))

    assert both.status_code == 200
    source.refresh_from_db()
    assert source.secret == ""


def test_the_audit_trail_holds_no_secret(staff: Client, stored: Make) -> None:
    from tenants.models import AuditEntry

    source = stored().source
    page = reverse("admin:connectors_datasource_change", args=[source.pk])
    staff.post(page, form_of(source, new_secret=SECRET))

    entries = list(AuditEntry.all_tenants.values())

    assert entries
    assert SECRET not in repr(entries)


@pytest.mark.parametrize("name", ["datasource", "operation"])
def test_lists_have_a_fixed_number_of_queries(
    staff: Client, stored: Make, name: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        stored(f"op{number}")
    page = reverse(f"admin:connectors_{name}_changelist")
    staff.get(page)

    with django_assert_max_num_queries(14):
        response = staff.get(page)

    assert response.status_code == 200


def test_other_tenants_rows_are_not_there(
    staff: Client, stored: Make, globex: Tenant
) -> None:
    from tenants.scope import using_tenant

    stored()
    with using_tenant(globex):
        theirs = DataSource.objects.create(key="theirs", kind="portal")

    page = staff.get(reverse("admin:connectors_datasource_change", args=[theirs.pk]))
    listed = staff.get(reverse("admin:connectors_datasource_changelist"))
    form = staff.get(reverse("admin:connectors_operation_add"))

    assert page.status_code == 302
    assert "theirs" not in listed.content.decode()
    assert "theirs" not in form.content.decode()


def test_an_operation_is_saved_with_its_parameters(staff: Client, stored: Make) -> None:
    source = stored().source
    form = operation_form(source, path="/echo/{site}")

    response = staff.post(
        reverse("admin:connectors_operation_add"), form | inline({"name": "site"})
    )

    assert response.status_code == 302
    made = Operation.all_tenants.get(key="new")
    assert [row.name for row in Parameter.all_tenants.filter(operation=made)] == [
        "site"
    ]


def test_an_undeclared_placeholder_is_a_form_error(staff: Client, stored: Make) -> None:
    source = stored().source
    form = operation_form(source, path="/echo/{site}/{day}")

    response = staff.post(
        reverse("admin:connectors_operation_add"), form | inline({"name": "site"})
    )

    assert response.status_code == 200
    assert "day" in response.content.decode()
    assert not Operation.all_tenants.filter(key="new").exists()


def test_refused_sql_is_a_form_error(staff: Client, stored: Make) -> None:
    stored()
    source = DataSource.objects.create(key="db", kind="sql", address="sqlite:////tmp/x")

    response = staff.post(
        reverse("admin:connectors_operation_add"),
        operation_form(source, sql="DELETE FROM t") | inline(),
    )

    assert response.status_code == 200
    assert response.context["errors"]


def test_operations_are_switched_from_the_list(staff: Client, stored: Make) -> None:
    operation = stored()
    page = reverse("admin:connectors_operation_changelist")

    for action, on in (("disable", False), ("enable", True)):
        staff.post(page, {"action": action, "_selected_action": [operation.pk]})
        operation.refresh_from_db()
        assert operation.enabled is on


# --- The test page ---------------------------------------------------------------


def test_the_test_page_calls_only_on_post(
    staff: Client, stored: Make, upstream: Any
) -> None:
    operation = stored(path="/echo/{site}", rows_path="")
    Parameter.objects.create(
        operation=operation, name="site", required=True, label={"ko": "지점"}
    )
    Parameter.objects.create(operation=operation, name="on", type="boolean", order=2)
    Parameter.objects.create(operation=operation, name="tags", type="list", order=3)
    page = reverse("admin:connectors_operation_test", args=[operation.pk])

    before = staff.get(page).content.decode()
    seen_before = list(upstream.seen)
    after = staff.post(page, {"site": "a b"}).content.decode()

    assert 'name="site"' in before
    assert seen_before == []
    assert "GET /echo/a%20b" in after
    assert "200" in after
    assert "headers.Host" in after


def test_the_test_page_masks_secrets(staff: Client, stored: Make) -> None:
    operation = stored(path="/json")
    page = reverse("admin:connectors_operation_test", args=[operation.pk])
    for auth in ("bearer", "basic", "api_key_header", "api_key_query"):
        source = operation.source
        source.auth, source.username = auth, "key"
        source.set_secret(SECRET)
        source.save()

        shown = staff.post(page).content.decode()

        assert SECRET not in shown
        assert "***" in shown
        assert "seoul" in shown


def test_the_test_page_shows_failures_and_texts(staff: Client, stored: Make) -> None:
    failing = stored("bad", path="/status/500")
    text = stored("text", path="/body", query={"text": "<b>hi"}, rows_path="")
    empty = stored("empty", path="/body", rows_path="")
    needy = stored("needy", path="/{site}")
    Parameter.objects.create(operation=needy, name="site", required=True)

    def shown(operation: Operation) -> str:
        page = reverse("admin:connectors_operation_test", args=[operation.pk])
        return staff.post(page).content.decode()

    assert "500" in shown(failing)
    assert "&lt;b&gt;hi" in shown(text)
    assert "<b>hi" not in shown(text)
    assert 'role="alert"' not in shown(empty)
    assert 'role="alert"' in shown(needy)


def test_the_test_page_needs_the_permission_to_change(
    client: Client, user: User, stored: Make
) -> None:
    operation = stored()
    page = reverse("admin:connectors_operation_test", args=[operation.pk])
    user.is_staff = True
    user.save()
    client.force_login(user)

    assert client.get(page).status_code in {403, 404}
    assert client.post(page).status_code in {403, 404}


def test_the_test_page_needs_the_csrf_token(user: User, stored: Make) -> None:
    operation = stored()
    user.is_staff = user.is_superuser = True
    user.save()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    response = strict.post(
        reverse("admin:connectors_operation_test", args=[operation.pk])
    )

    assert response.status_code == 403


def test_the_test_page_has_no_inline_script_or_style(
    staff: Client, stored: Make
) -> None:
    operation = stored()

    for name in ("change", "test"):
        page = reverse(f"admin:connectors_operation_{name}", args=[operation.pk])
        html = staff.get(page).content.decode()
        assert "onclick" not in html
        if name == "test":
            assert "style=" not in html


def test_a_missing_operation_has_no_test_page(staff: Client, in_acme: Tenant) -> None:
    page = reverse("admin:connectors_operation_test", args=[12345])

    assert staff.get(page).status_code == 404


def test_sql_and_series_are_shown_as_sent(staff: Client, stored: Make) -> None:
    stored()
    database = DataSource.objects.create(
        key="db", kind="sql", address="sqlite:////tmp/nothing-here.db"
    )
    own = DataSource.objects.create(key="own", kind="portal")
    query = Operation.objects.create(key="q", source=database, sql="SELECT a FROM t")
    series = Operation.objects.create(key="p", source=own, series="unheard-of")

    for operation, sent in ((query, "SELECT a FROM t"), (series, "unheard-of")):
        page = reverse("admin:connectors_operation_test", args=[operation.pk])
        assert sent in staff.post(page).content.decode()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("env:HOME", "may not read"),
        ("file:/etc/passwd", "may not read"),
        ("env:SIGNALBOX_SOURCE__ACME__NOWHERE", "is not where"),
    ],
)
def test_a_secret_that_names_no_place_of_the_tenant_is_refused_at_its_field(
    staff: Client, stored: Make, place: str, words: str
) -> None:
    source = stored().source
    page = reverse("admin:connectors_datasource_change", args=[source.pk])

    answer = staff.post(page, form_of(source, new_secret=place))

    assert answer.status_code == 200
    assert words in str(answer.context["adminform"].form.errors["new_secret"])
    source.refresh_from_db()
    assert source.secret == ""


def test_a_taken_key_is_told_at_the_key_and_what_was_typed_stays(
    staff: Client, stored: Make
) -> None:
    operation = stored()
    form = operation_form(operation.source, key=operation.key, query='{"limit": "5",}')

    answer = staff.post(reverse("admin:connectors_operation_add"), form | inline())

    errors = answer.context["adminform"].form.errors
    assert "This key is taken. Choose another." in errors["key"]
    assert "line 1, column 15" in str(errors["query"])
    assert "__all__" not in errors
    assert "{&quot;limit&quot;: &quot;5&quot;,}" in answer.content.decode()


def test_sections_of_other_kinds_are_folded(staff: Client, stored: Make) -> None:
    operation = stored()
    page = reverse("admin:connectors_operation_change", args=[operation.pk])

    sections = list(staff.get(page).context["adminform"])
    fresh = staff.get(reverse("admin:connectors_operation_add"))

    folded = {str(each.name) for each in sections if each.is_collapsible}
    assert folded == {"SQL query", "The portal's own numbers"}
    assert not any(each.is_collapsible for each in fresh.context["adminform"])
