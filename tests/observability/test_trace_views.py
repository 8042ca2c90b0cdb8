"""Pages of traces: what they show, and to whom."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from observability.models import StoredTrace
from observability.services import measure, trace_address
from observability.trace_views import WIDTH, waterfall
from tenants.models import Membership, Tenant, User


@pytest.fixture
def staff(user: User) -> User:
    user.is_staff = True
    user.save()
    return user


def stored(tenant: Tenant | None, **fields: object) -> StoredTrace:
    spans = [
        {
            "id": "b" * 16, "parent": "a" * 16, "name": "block sales",
            "start_ns": 2_000_000, "end_ns": 3_000_000, "reason": "timeout",
            "attributes": {"rows": 3},
        },
        {
            "id": "a" * 16, "parent": "", "name": "GET menu", "start_ns": 1_000_000,
            "end_ns": 5_000_000, "reason": "", "attributes": {},
        },
    ]  # fmt: skip
    given: dict[str, object] = {
        "trace_id": "ab" * 16, "started_at": timezone.now(), "took_us": 4_000,
        "kind": "page", "key": "menu", "kept": "error", "failed": True, "spans": spans,
        "tenant": tenant,
    }  # fmt: skip
    return StoredTrace.objects.create(**{**given, **fields})


def test_staff_see_traces_of_their_own_tenant(
    client: Client, staff: User, acme: Tenant, globex: Tenant
) -> None:
    stored(acme, key="ours")
    stored(globex, key="theirs", trace_id="cd" * 16)
    stored(None, key="nobodys", trace_id="ef" * 16)
    client.force_login(staff)

    html = client.get(reverse("traces")).content.decode()

    assert "ours" in html
    assert "theirs" not in html
    assert "nobodys" not in html
    assert client.get(reverse("trace", args=["cd" * 16])).status_code == 404
    assert client.get(reverse("trace", args=["ef" * 16])).status_code == 404


def test_the_waterfall_shows_every_part_beneath_its_parent(
    client: Client, staff: User, acme: Tenant
) -> None:
    stored(acme)
    client.force_login(staff)

    html = client.get(reverse("trace", args=["ab" * 16])).content.decode()

    assert html.index("GET menu") < html.index("block sales")
    assert 'class="depth-1"' in html
    assert '<rect x="250.0" y="1" width="250.0" height="10" class="failed">' in html
    assert "timeout" in html
    assert "trace%3A" + "ab" * 16 in html


def test_a_trace_that_was_not_kept_says_so_and_leads_to_its_lines(
    client: Client, staff: User
) -> None:
    client.force_login(staff)

    response = client.get(reverse("trace", args=["12" * 16]))

    assert response.status_code == 404
    assert "This trace was not kept" in response.content.decode()
    assert "trace%3A" + "12" * 16 in response.content.decode()


def test_a_pasted_trace_id_leads_to_the_trace(client: Client, staff: User) -> None:
    client.force_login(staff)

    response = client.get(reverse("traces"), {"q": "AB" * 16})

    assert response["Location"] == reverse("trace", args=["ab" * 16])


def test_the_list_is_filtered_and_paged_with_the_same_queries(
    client: Client,
    staff: User,
    acme: Tenant,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(staff)
    stored(acme)
    with django_assert_max_num_queries(20) as few:
        client.get(reverse("traces"))
    for _ in range(120):
        stored(acme, kept="slow", key="lazy")

    with django_assert_max_num_queries(len(few)):
        html = client.get(reverse("traces"), {"kept": "slow"}).content.decode()

    assert html.count("<td>lazy</td>") == 100
    assert 'rel="next"' in html
    assert (
        "lazy" not in client.get(reverse("traces"), {"kept": "error"}).content.decode()
    )


def test_traces_are_for_staff(client: Client, user: User) -> None:
    client.force_login(user)

    assert client.get(reverse("traces")).status_code == 302
    assert client.get(reverse("trace", args=["ab" * 16])).status_code == 302


def test_readers_who_are_no_staff_get_no_address_of_a_trace() -> None:
    with measure("page", key="home"):
        assert trace_address() == ""


def test_staff_without_a_tenant_see_no_trace(
    client: Client, staff: User, acme: Tenant
) -> None:
    stored(acme, key="ours")
    Membership.objects.all().delete()
    client.force_login(staff)

    assert "ours" not in client.get(reverse("traces")).content.decode()


ids = st.sampled_from([f"{number:016x}" for number in range(1, 6)])


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "id": ids,
                "parent": st.just("") | ids,
                "name": st.just("x"),
                "start_ns": st.integers(0, 10**6),
                "end_ns": st.integers(0, 10**6),
                "reason": st.just(""),
                "attributes": st.just({}),
            }
        ),
        max_size=6,
        unique_by=lambda span: str(span["id"]),
    )
)
def test_a_waterfall_shows_each_span_once_inside_the_drawing(
    spans: list[dict[str, object]],
) -> None:
    steps = list(waterfall(spans))

    assert len(steps) == len(spans)
    assert all(0 <= float(step.x) <= WIDTH for step in steps)
