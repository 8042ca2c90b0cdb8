"""The dashboard: objectives first, numbers beside last week's, the own tenant only."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from observability.dashboard import (
    Figure,
    Word,
    compare,
    dashboard_rows,
    ordered,
    window_spans,
)
from observability.models import Alert
from tenants.models import Tenant, User
from tenants.scope import using_tenant
from tests.observability.counting import (
    MS,
    NOON,
    burn_rule,
    objective,
    row,
    store,
    tally_of,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
PAGE = "/admin-tools/latency/"


@pytest.fixture
def staff(user: User, client: Client) -> User:
    user.is_staff = True
    user.save()
    client.force_login(user, backend="tenants.backends.TenantBackend")
    return user


def traffic(tenant: Tenant, key: str = "orders", *, kind: str = "page") -> None:
    """Store 300 events within the hour, and 7 × 24 × 150 in the week before, faster."""
    late = tally_of(total=300, bad=30, us=200 * MS)
    store([row(tenant, NOON - HOUR / 2, late, key=key, kind=kind)])
    for day in range(1, 8):
        early = tally_of(total=3_600, bad=36, us=100 * MS)
        at = NOON - day * 24 * HOUR
        store([row(tenant, at, early, key=key, kind=kind)])


def text_of(client: Client, **query: str) -> str:
    with time_machine.travel(NOON + timedelta(seconds=20)):
        response = client.get(PAGE, query)
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_every_number_stands_beside_the_week_before(acme: Tenant) -> None:
    traffic(acme)

    [found] = dashboard_rows(acme.pk, hours=1, now=NOON, pending={})

    assert found.volume.value == 300
    assert found.volume.before == pytest.approx(150)
    assert found.volume.ratio == pytest.approx(2)
    assert found.errors == Figure(10, 1, 10, Word.MORE)
    for figure in (found.p50, found.p95, found.p99):
        assert figure.value == pytest.approx(200, rel=0.01)
        assert figure.ratio == pytest.approx(2, rel=0.021)
        assert figure.word is Word.MORE


@pytest.mark.parametrize("hours", [1, 24, 7 * 24, 30 * 24])
def test_every_window_ends_now_and_the_baseline_is_the_seven_days_before(
    hours: int,
) -> None:
    window, before = window_spans(hours, now=NOON + timedelta(minutes=7, seconds=9))

    assert window.end == NOON + timedelta(minutes=8)
    length = window.end - window.start
    assert timedelta(hours=hours) <= length < timedelta(hours=hours + 1)
    assert before.end <= window.start < before.end + HOUR
    assert before.end - before.start == timedelta(days=7)
    assert before.end.minute == 0


@pytest.mark.parametrize(
    ("value", "before", "few", "word"),
    [
        (100.0, 80.0, False, Word.MORE),
        (99.0, 80.0, False, Word.SAME),
        (80.0, 100.0, False, Word.LESS),
        (81.0, 100.0, False, Word.SAME),
        (1.0, 0.0, False, Word.MORE),
        (0.0, 0.0, False, Word.SAME),
        (5.0, None, False, Word.NEW),
        (5.0, 1.0, True, Word.TOO_FEW),
    ],
)
def test_the_words_begin_exactly_at_their_ratio(
    value: float, before: float | None, few: bool, word: Word
) -> None:
    assert compare(value, before, few=few).word is word


def test_below_two_hundred_events_nothing_is_compared(acme: Tenant) -> None:
    for total, key in ((199, "few"), (200, "enough")):
        for at in (NOON - HOUR / 2, NOON - 48 * HOUR):
            store([row(acme, at, tally_of(total=total), key=key)])

    rows = dashboard_rows(acme.pk, hours=1, now=NOON, pending={})

    words = {found.key: found.p95.word for found in rows}
    assert words == {"few": Word.TOO_FEW, "enough": Word.SAME}


def test_rows_are_sorted_by_any_column(acme: Tenant) -> None:
    for key, total, us in (("a", 3, 5), ("b", 1, 9), ("c", 2, 7)):
        store([row(acme, NOON, tally_of(total=total, us=us * MS), key=key)])
    rows = dashboard_rows(acme.pk, hours=1, now=NOON, pending={})

    def keys(order: str) -> str:
        return "".join(found.key for found in ordered(rows, order))

    assert (keys("key"), keys("-key")) == ("abc", "cba")
    assert (keys("volume"), keys("-p95")) == ("bca", "bca")
    assert keys("nonsense") == keys("") == "abc"


def test_the_page_shows_objectives_first_worst_budget_on_top(
    client: Client, staff: User, acme: Tenant
) -> None:
    traffic(acme)
    objective(acme, key="silent", measured_key="nobody")
    fine = objective(acme, key="fine", target=Decimal(50), owner=staff)
    bad = objective(acme, key="bad", label={"en": "Bad <one>"})
    rule = burn_rule(bad, "fast", label={"en": "Burns"})
    with using_tenant(acme):
        Alert.objects.create(rule=rule, phase="firing", opened_at=NOON)

    html = text_of(client)

    words = shown(html)
    assert html.index("Bad &lt;one&gt;") < html.index(str(fine)) < html.index("silent")
    assert "99.9 % without error in 30 d" in words
    assert "firing Burns" in words
    assert "100.00×" in words  # 30 of 300 in the last hour, of 0.1 %
    assert "no data" in words
    assert "jo" in words
    assert html.index("slo-objectives") < html.index("slo-measured")
    assert 'points="' in html


def test_an_objective_without_data_is_never_a_hundred_percent(
    client: Client, staff: User, acme: Tenant
) -> None:
    objective(acme)

    words = shown(text_of(client))

    assert "100.0" not in words
    assert words.count("no data") == 2 + 5 + 1  # now, budget, five burns, outlook


def test_windows_kinds_and_order_are_links(
    client: Client, staff: User, acme: Tenant
) -> None:
    traffic(acme)
    traffic(acme, "stock", kind="operation")

    html = text_of(client, hours="720", kind="operation", order="-p95")

    assert "stock" in html
    assert "orders" not in html
    assert "Last 30 days" in html
    assert html[html.index("slo-measured") :].count('aria-current="true"') == 2
    assert 'aria-sort="descending"' in html
    assert 'href="?hours=720&amp;kind=operation&amp;order=p95"' in html
    for query in ({"hours": "x", "order": "-x", "kind": "<script>"}, {"hours": "-1"}):
        assert "<script>alert" not in text_of(client, **query)


def test_tenants_see_their_own_objectives_only(
    client: Client, staff: User, acme: Tenant, globex: Tenant
) -> None:
    objective(globex, key="foreign-objective")
    traffic(globex, "foreign-key")
    objective(acme, key="own-objective")

    html = text_of(client)

    assert "own-objective" in html
    assert "foreign" not in html


def test_many_rows_take_as_many_queries_as_few(
    client: Client,
    staff: User,
    acme: Tenant,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    def more(first: int, last: int) -> None:
        for number in range(first, last):
            key = f"k{number}"
            store([row(acme, NOON, tally_of(total=9), key=key)])
            promised = objective(acme, key=key, measured_key=key, owner=staff)
            rule = burn_rule(promised, "fast")
            with using_tenant(acme):
                Alert.objects.create(rule=rule, phase="firing", opened_at=NOON)

    more(0, 1)
    text_of(client)
    # Session, user, tenants, permissions; then measured twice, objectives, alerts.
    with django_assert_num_queries(QUERIES):
        text_of(client)
    more(1, 20)

    with django_assert_num_queries(QUERIES):
        assert text_of(client).count("firing") == 20


QUERIES = 10


def test_it_is_reached_from_the_header_and_from_the_index(
    client: Client, staff: User
) -> None:
    staff.is_superuser = True
    staff.save()

    home = client.get("/").content.decode()
    index = client.get("/admin/").content.decode()

    assert f'href="{reverse("latency")}"' in home
    assert index.count(f'href="{reverse("latency")}"') >= 2
