"""tenants/views.py: signing in and out, tenant and language; no script needed."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tenants.context_processors import tenant as tenant_context
from tenants.models import Membership, Tenant, User
from tests.tenants.conftest import SignedIn

pytestmark = pytest.mark.urls("tests.tenants.urls")


def test_signing_in_with_a_password(user: User, client: Client) -> None:
    response = client.post(
        "/login/",
        {"username": "jo", "password": "correct horse", "next": "/test/what-i-see/"},
    )

    assert response["Location"] == "/test/what-i-see/"
    assert client.get("/test/what-i-see/").json()["tenant"] == "acme"


def test_a_wrong_password_is_told_in_the_visitors_language(
    user: User, client: Client
) -> None:
    client.cookies["django_language"] = "en"

    response = client.post("/login/", {"username": "jo", "password": "wrong"})

    assert response.status_code == 200
    assert "Please enter a correct username and password" in response.content.decode()


def test_signing_in_never_leads_to_another_site(user: User, client: Client) -> None:
    response = client.post(
        "/login/",
        {"username": "jo", "password": "correct horse", "next": "//evil.example/"},
    )

    assert response["Location"] == "/"


def test_the_sign_in_page_offers_both_languages_and_runs_no_script_of_its_own(
    db: None, client: Client
) -> None:
    page = client.get("/login/").content.decode()

    assert 'value="ko"' in page
    assert 'value="en"' in page
    assert page.count("<script") == page.count("<script src=")


def test_signing_out_is_a_post(user: User, signed_in: SignedIn) -> None:
    client = signed_in(user)

    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/test/what-i-see/").json()["tenant"] is None


def test_switching_to_another_tenant_of_mine(
    user: User, globex: Tenant, signed_in: SignedIn
) -> None:
    Membership.objects.create(user=user, tenant=globex)
    client = signed_in(user)

    response = client.post("/switch-tenant/", {"key": "globex", "next": "/m/home/?a=1"})

    assert response["Location"] == "/m/home/?a=1"
    assert client.get("/test/what-i-see/").json()["tenant"] == "globex"


@pytest.mark.parametrize("key", ["globex", "nowhere", "", "acme' OR 1=1"])
def test_a_tenant_that_is_not_mine_is_not_found(
    user: User, globex: Tenant, signed_in: SignedIn, key: str
) -> None:
    client = signed_in(user)

    assert client.post("/switch-tenant/", {"key": key}).status_code == 404
    assert client.get("/test/what-i-see/").json()["tenant"] == "acme"


def test_switching_is_a_post_of_a_signed_in_user(
    user: User, signed_in: SignedIn, client: Client
) -> None:
    assert signed_in(user).get("/switch-tenant/").status_code == 405
    assert client.post("/switch-tenant/", {"key": "acme"}).status_code == 302


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "",
        "http:///evil.example",
    ],
)
@pytest.mark.parametrize("path", ["/switch-tenant/", "/set-language/"])
def test_the_way_back_is_never_another_site(
    user: User, signed_in: SignedIn, path: str, wanted: str
) -> None:
    response = signed_in(user).post(
        path, {"key": "acme", "language": "en", "next": wanted}
    )

    assert response["Location"] == "/"


def test_a_users_language_is_kept_with_the_user(
    user: User, signed_in: SignedIn
) -> None:
    signed_in(user).post("/set-language/", {"language": "ko"})

    user.refresh_from_db()
    assert user.language == "ko"
    assert signed_in(user).get("/test/what-i-see/").json()["language"] == "ko"


def test_a_visitors_language_is_kept_in_a_cookie(db: None, client: Client) -> None:
    client.post("/set-language/", {"language": "en"})

    assert client.get("/test/what-i-see/").json()["language"] == "en"


def test_a_language_the_portal_does_not_speak(db: None, client: Client) -> None:
    response = client.post(
        "/set-language/", {"language": "tlh"}, headers={"Accept-Language": "en"}
    )

    assert response.status_code == 400
    assert "Choose one of: ko, en." in response.content.decode()


def test_forms_of_another_site_are_refused(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="tenants.backends.TenantBackend")

    for path in ("/switch-tenant/", "/set-language/", "/logout/"):
        assert client.post(path, {"key": "acme"}).status_code == 403


def test_a_page_that_does_not_show_the_switch_costs_no_query(
    user: User,
    acme: Tenant,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    request = signed_in(user).get("/test/what-i-see/").wsgi_request

    with django_assert_num_queries(0):
        context = tenant_context(request)
    with django_assert_num_queries(1):
        shown = [list(context["tenants"]), len(context["tenants"])]

    assert context["tenant"] == acme
    assert shown == [[acme], 1]


def test_a_visitor_has_no_tenants_to_switch_to(db: None, client: Client) -> None:
    request = client.get("/test/what-i-see/").wsgi_request

    assert not tenant_context(request)["tenants"]
