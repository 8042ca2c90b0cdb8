"""Too much, too deep, and nonsense: a 4xx with a clear word, and never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client

from tests.attacks.conftest import SignIn, World
from tests.attacks.pages import body_of, filled, routes
from tests.attacks.test_tenancy import address_of

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
JUNK = ["9" * 30, "%00", "%FF%FE_0A"]
READERS = ["/m/overview/", "/m/inside/", "/m/inside/blocks/latency/", "/api/menus/"]


@pytest.mark.parametrize("junk", JUNK)
def test_no_address_answers_500_whatever_stands_in_it(
    world: World, insider: Client, junk: str
) -> None:
    broken = []
    for route, _converters in routes():
        if "<" not in route or "<regex>" in route:
            continue
        address = filled(route, junk)
        response = insider.get(address)
        body_of(response)
        if response.status_code >= 500:
            broken.append(address[:120])

    assert broken == []


QUERIES = [
    "q=%00&p=-1&o=9999.-9999.x&all=&_facets=junk",
    "p=" + "9" * 30,
    "_to_field=%00&_changelist_filters=%00%FF&e=1",
    "id__exact=" + "9" * 30,
    "created_at__year=" + "9" * 30,
    "key__exact=%00",
    "key__regex=(((((",
]


@pytest.mark.parametrize("query", QUERIES)
def test_no_list_of_the_admin_answers_500(
    world: World, root: Client, query: str
) -> None:
    broken = []
    for model in MODELS:
        point = transaction.savepoint()
        response = root.get(f"{address_of(model, 'changelist')}?{query}")
        transaction.savepoint_rollback(point)  # a refused value spoils the test's own
        if response.status_code >= 500:
            broken.append(model._meta.label)

    assert broken == []


ARGUMENTS = [
    "page=-1",
    "page=" + "9" * 30,
    "page=%00",
    "hours=" + "9" * 400,
    "hours=1e999",
    "hours=NaN",
    "hours=%00",
    "hours=%D9%A1",
    "hours=%FF%FE",
    "hours=1&hours=2",
    "unknown=1",
    "__class__=1",
    "&".join(f"a{number}=1" for number in range(900)),
    "hours=" + "x" * 100_000,
    "%00=%00",
    "=",
    "bom=1&bom=2",
    "format=junk",
]


@pytest.mark.parametrize("query", ARGUMENTS, ids=lambda text: text[:20])
def test_junk_arguments_are_told_and_run_nothing(
    world: World, operator: Client, query: str
) -> None:
    for address in (
        "/m/inside/",
        "/m/overview/",
        "/api/menus/inside/run/",
        "/m/inside/blocks/slowest/",
        "/m/inside/blocks/slowest.csv",
        "/admin-tools/latency/",
        "/",
        "/login/",
    ):
        response = operator.get(f"{address}?{query}")
        body_of(response)

        assert response.status_code < 500, address


@pytest.mark.parametrize("address", [*READERS, "/", "/login/", "/healthz", "/admin/"])
def test_ten_thousand_parameters_are_refused(
    world: World, operator: Client, address: str
) -> None:
    query = "&".join(f"a{number}=1" for number in range(10_000))

    response = operator.get(f"{address}?{query}")

    body_of(response)
    assert response.status_code < 500


COOKIES = [
    '"aaaaaaaaaaaa\\000aaaa"',
    "%00" * 12,
    "\\ud800" * 8,
    "x" * 8_000,
    '"\\377\\376aaaaaaaaaaaa"',
]


@pytest.mark.parametrize("cookie", COOKIES, ids=range(len(COOKIES)))
@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "django_language"])
def test_junk_cookies_are_a_visitor(
    world: World, client: Client, name: str, cookie: str
) -> None:
    client.raise_request_exception = False

    for address in ("/", "/login/", "/api/menus/"):
        response = client.get(address, headers={"Cookie": f"{name}={cookie}"})
        assert response.status_code in {200, 302, 401, 403}, address


def test_a_forged_messages_cookie_is_ignored(world: World, operator: Client) -> None:
    operator.cookies["messages"] = '"\\000[[junk"'

    assert operator.get("/").status_code == 200


@pytest.mark.parametrize(
    "accept",
    ["", "*", "text", ";;;", "a/b;q=x", "text/html;q=\x00", "ㄱ/ㄴ", "x" * 9_000],
)
def test_a_junk_accept_header_is_no_500(
    world: World, operator: Client, accept: str
) -> None:
    header = accept.encode().decode("latin-1")
    for address in ("/api/menus/", "/api/menus/inside/", "/api/schema/", "/"):
        response = operator.get(address, headers={"Accept": header})
        body_of(response)

        assert response.status_code in {200, 400, 406}, address


HEADERS = [
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer \xff\x00\x80"},
    {"Authorization": "Basic !!!!"},
    {"traceparent": "00-zz-zz-zz"},
    {"traceparent": "x" * 5_000},
    {"tracestate": "=" * 5_000, "baggage": "%00=%FF"},
    {"Accept-Language": "x" * 5_000},
    {"Accept-Language": "ko;q=nan,en;q=\xff"},
    {"HX-Request": "true", "HX-Current-URL": "http://[", "HX-Target": "\x00"},
    {"X-Forwarded-For": "\x00, junk"},
    {"Accept-Encoding": "gzip;q=junk, \x00"},
    {"If-Modified-Since": "yesterday"},
    {"Range": "bytes=9-1"},
    {"Content-Type": "multipart/form-data"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=range(len(HEADERS)))
def test_junk_headers_are_no_500(
    world: World, operator: Client, headers: dict[str, str]
) -> None:
    for address in ("/", "/api/menus/", "/m/inside/", "/metrics", "/healthz"):
        response = operator.get(address, headers=headers)
        body_of(response)

        assert response.status_code < 500, address


def test_a_host_that_is_not_ours_is_refused(world: World, operator: Client) -> None:
    for host in ("evil.example", "[::", "localhost.evil.example", "localhost@evil"):
        response = operator.get("/", headers={"Host": host})

        assert response.status_code == 400
        assert "evil" not in body_of(response)


POSTS = [
    ("/switch-tenant/", {"key": "\x00"}),
    ("/switch-tenant/", {"key": "x" * 100_000}),
    ("/set-language/", {"language": "\x00"}),
    ("/login/", {"username": "\x00", "password": "\x00"}),
    ("/login/", {"username": "x" * 100_000, "password": "y"}),
    ("/login/", {"username": "\u202e\U0001f4a3", "password": "y"}),
    ("/m/overview/favourite/", {"next": "http://["}),
    ("/m/overview/favourite/", {"next": "/" + "x" * 50_000}),
    ("/m/overview/favourite/", {"next": "/\r\nSet-Cookie: a=b"}),
    ("/admin/login/", {"username": "\x00", "password": "\x00"}),
]


@pytest.mark.parametrize(("address", "data"), POSTS, ids=range(len(POSTS)))
@pytest.mark.parametrize("who", ["visitor", "operator"])
def test_junk_in_a_form_is_no_500(
    world: World, sign_in: SignIn, address: str, data: dict[str, str], who: str
) -> None:
    browser = Client(raise_request_exception=False)
    if who == "operator":
        browser = sign_in(world.operator)

    response = browser.post(address, data)

    assert response.status_code < 500
    assert "a=b" not in str(response.cookies)


def nested(depth: int, *, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


def document(**more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "title": {"en": "T"},
        "blocks": [
            {
                "id": "a",
                "title": {"en": "A"},
                "source": {"operation": "penguins"},
                "responses": {"default": {"format": "table"}},
            }
        ],
        **more,
    }
