"""tenants/middleware.py and access.py: which tenant, language and zone a view sees."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tenants.models import Membership, Tenant, User
from tenants.scope import active_tenant_id, using_tenant
from tests.tenants.conftest import SignedIn

pytestmark = pytest.mark.urls("tests.tenants.urls")


def seen_by(client: Client, **headers: str) -> dict[str, object]:
    seen: dict[str, object] = client.get("/test/what-i-see/", headers=headers).json()
    return seen


def choose(client: Client, tenant: Tenant) -> None:
    session = client.session
    session["tenant_id"] = tenant.pk
    session.save()


def test_a_visitor_has_no_tenant_and_costs_no_query(
    db: None, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        seen = seen_by(client)

    assert (seen["tenant"], seen["scope"]) == (None, None)


def test_a_member_enters_the_first_tenant_by_name(
    user: User, acme: Tenant, globex: Tenant, signed_in: SignedIn
) -> None:
    Membership.objects.create(user=user, tenant=globex)

    seen = seen_by(signed_in(user))

    assert (seen["tenant"], seen["scope"]) == ("acme", acme.pk)


def test_the_tenant_costs_one_query_beside_session_and_user(
    user: User, signed_in: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(user)

    with django_assert_num_queries(3):
        seen_by(client)


def test_the_choice_in_the_session_counts_for_a_member(
    user: User, globex: Tenant, signed_in: SignedIn
) -> None:
    Membership.objects.create(user=user, tenant=globex)
    client = signed_in(user)
    choose(client, globex)

    assert seen_by(client)["tenant"] == "globex"


def test_a_forged_choice_leads_back_to_the_own_tenant(
    user: User, globex: Tenant, signed_in: SignedIn
) -> None:
    client = signed_in(user)
    choose(client, globex)

    assert seen_by(client)["tenant"] == "acme"


def test_a_choice_ends_with_the_membership(
    user: User, globex: Tenant, signed_in: SignedIn
) -> None:
    membership = Membership.objects.create(user=user, tenant=globex)
    client = signed_in(user)
    choose(client, globex)

    membership.delete()

    assert seen_by(client)["tenant"] == "acme"


def test_nobody_enters_an_inactive_tenant(
    user: User, acme: Tenant, superuser: User, signed_in: SignedIn
) -> None:
    Tenant.objects.update(is_active=False)
    root = signed_in(superuser)
    choose(root, acme)

    assert seen_by(signed_in(user))["tenant"] is None
    assert seen_by(root)["tenant"] is None


def test_a_superuser_enters_any_tenant_but_only_by_choosing(
    superuser: User, acme: Tenant, globex: Tenant, signed_in: SignedIn
) -> None:
    client = signed_in(superuser)

    before = seen_by(client)["tenant"]
    choose(client, globex)

    assert before is None
    assert seen_by(client)["tenant"] == "globex"


def test_the_scope_is_closed_after_the_view(user: User, signed_in: SignedIn) -> None:
    seen_by(signed_in(user))

    assert active_tenant_id() is None


def test_the_scope_is_closed_after_a_view_that_failed(
    user: User, signed_in: SignedIn
) -> None:
    client = signed_in(user)

    with pytest.raises(ZeroDivisionError):
        client.get("/test/fail/")

    assert active_tenant_id() is None


def test_the_scope_is_closed_before_a_body_is_streamed(
    user: User, signed_in: SignedIn
) -> None:
    response = signed_in(user).get("/test/stream/")

    assert response.getvalue() == b"None"


def test_a_visitor_never_inherits_the_scope_around_the_server(
    acme: Tenant, client: Client
) -> None:
    with using_tenant(acme):
        assert seen_by(client)["scope"] is None


def test_the_users_own_language_and_zone_win(user: User, signed_in: SignedIn) -> None:
    user.time_zone = "America/Lima"
    user.save()

    seen = seen_by(signed_in(user), accept_language="ko")

    assert (seen["language"], seen["zone"]) == ("en", "America/Lima")
    assert timezone.get_current_timezone_name() == "Asia/Seoul"


def test_a_visitor_is_spoken_to_as_the_browser_asks(db: None, client: Client) -> None:
    assert seen_by(client, accept_language="en")["language"] == "en"
    assert seen_by(client)["language"] == "ko"


def test_a_zone_written_past_the_form_does_no_harm(
    user: User, signed_in: SignedIn
) -> None:
    User.objects.update(time_zone="Mars/Olympus", language="tlh")

    seen = seen_by(signed_in(user), accept_language="en")

    assert (seen["language"], seen["zone"]) == ("en", "Asia/Seoul")


def test_tenant_required_lets_a_member_in(
    user: User, acme: Tenant, signed_in: SignedIn
) -> None:
    response = signed_in(user).get("/test/members-only/hello/")

    assert response.content.decode() == f"hello {acme.pk}"


def test_tenant_required_sends_a_visitor_to_sign_in(db: None, client: Client) -> None:
    response = client.get("/test/members-only/hello/")

    assert response.status_code == 302
    assert response["Location"] == "/login/?next=/test/members-only/hello/"


def test_a_user_of_no_tenant_is_told_so(
    db: None, django_user_model: type[User], signed_in: SignedIn
) -> None:
    loner = django_user_model.objects.create_user("loner", language="en")

    response = signed_in(loner).get("/test/members-only/hello/")

    assert response.status_code == 403
    assert "You belong to no tenant yet" in response.content.decode()


def test_a_superuser_of_no_tenant_is_offered_all(
    superuser: User, acme: Tenant, signed_in: SignedIn
) -> None:
    response = signed_in(superuser).get("/test/members-only/hello/")

    assert response.status_code == 403
    assert '<option value="acme">Acme</option>' in response.content.decode()
