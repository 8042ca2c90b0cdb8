"""tenants/api.py and tokens.py: who a token is, where, and with which scopes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request

from tenants.api import TokenAuthentication
from tenants.messages import refusal_text
from tenants.models import ApiToken, AuditEntry, Membership, Tenant, User
from tenants.scope import active_tenant_id
from tenants.tokens import check_token, digest, issue_token
from tests.tenants.conftest import SignedIn

pytestmark = pytest.mark.urls("tests.tenants.urls")
Issue = Callable[..., str]


@pytest.fixture
def issue(user: User, acme: Tenant) -> Issue:
    """A function that makes a token and gives its secret."""

    def make(
        *, of: User = user, tenant: Tenant = acme, scope: str = "read", days: int = 1
    ) -> str:
        until = timezone.now() + timedelta(days=days)
        _token, secret = issue_token(
            of, tenant=tenant, name="t", scopes=[scope], expires_at=until
        )
        return secret

    return make


def ask(client: Client, secret: str, path: str = "/test/api/") -> tuple[int, object]:
    response = client.get(path, headers={"Authorization": f"Bearer {secret}"})
    return response.status_code, response.json()


def test_a_token_acts_as_its_user_in_its_tenant(
    client: Client, issue: Issue, user: User, acme: Tenant
) -> None:
    status, seen = ask(client, issue())

    assert status == 200
    assert seen == {
        "user": user.pk,
        "tenant": acme.pk,
        "same": True,
        "scope": acme.pk,
        "language": "en",
    }


def test_the_scope_of_a_token_ends_with_the_request(
    client: Client, issue: Issue
) -> None:
    ask(client, issue())

    assert active_tenant_id() is None
    assert client.get("/test/what-i-see/").json()["scope"] is None


def test_the_token_wins_over_the_session_and_both_keep_their_tenant(
    issue: Issue, acme: Tenant, outsider: User, signed_in: SignedIn, user: User
) -> None:
    client = signed_in(outsider)

    _status, by_token = ask(client, issue())
    by_session = client.get("/test/api/").json()

    assert isinstance(by_token, dict)
    assert (by_token["user"], by_token["scope"]) == (user.pk, acme.pk)
    assert by_session["user"] == outsider.pk
    assert by_session["scope"] == by_session["tenant"] != acme.pk


def test_pages_outside_the_api_never_look_at_the_header(
    issue: Issue, outsider: User, signed_in: SignedIn, client: Client
) -> None:
    secret = issue()

    _status, of_session = ask(signed_in(outsider), secret, "/test/what-i-see/")
    _status, of_visitor = ask(client, secret, "/test/what-i-see/")

    assert isinstance(of_session, dict)
    assert isinstance(of_visitor, dict)
    assert (of_session["tenant"], of_visitor["tenant"]) == ("globex", None)


def test_a_session_needs_no_scope_but_a_tenant(
    user: User, signed_in: SignedIn, client: Client
) -> None:
    loner = User.objects.create_user("loner", language="en")

    assert signed_in(user).get("/test/api/").status_code == 200
    refused = signed_in(loner).get("/test/api/")
    assert refused.status_code == 403
    assert "no tenant" in refused.json()["detail"]
    assert client.get("/test/api/").status_code == 401


def test_a_token_without_the_scope_is_told_which(client: Client, issue: Issue) -> None:
    status, answer = ask(client, issue(scope="export"))

    assert status == 403
    assert answer == {"detail": "This token lacks the scope read."}


def _expire(token: ApiToken) -> None:
    ApiToken.all_tenants.update(expires_at=timezone.now() - timedelta(seconds=1))


def _revoke(token: ApiToken) -> None:
    ApiToken.all_tenants.update(revoked_at=timezone.now())


def _deactivate_user(token: ApiToken) -> None:
    User.objects.update(is_active=False)


def _deactivate_tenant(token: ApiToken) -> None:
    Tenant.objects.update(is_active=False)


def _leave(token: ApiToken) -> None:
    Membership.objects.all().delete()


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (_expire, "expired"),
        (_revoke, "revoked"),
        (_deactivate_user, "inactive-user"),
        (_deactivate_tenant, "suspended"),
        (_leave, "no-member"),
    ],
)
def test_a_token_that_no_longer_counts(
    client: Client, issue: Issue, spoil: Callable[[ApiToken], None], rule: str
) -> None:
    secret = issue()
    spoil(ApiToken.all_tenants.get())

    response = client.get(
        "/test/api/",
        headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"},
    )

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json()["detail"] == refusal_text(rule)  # type: ignore[arg-type]
    assert secret not in response.content.decode()


@pytest.mark.parametrize("secret", ["", "sbx_", "x" * 5_000, "sbx_ä", "a b"])
def test_an_unknown_token_is_refused_even_beside_a_good_session(
    user: User, signed_in: SignedIn, secret: str
) -> None:
    status, _answer = ask(signed_in(user), secret.encode().decode("latin-1"))

    assert status == 401


def test_another_kind_of_authorization_is_left_alone(
    user: User, signed_in: SignedIn
) -> None:
    response = signed_in(user).get(
        "/test/api/", headers={"Authorization": "Basic am86eA=="}
    )

    assert response.status_code == 200


def test_a_superusers_token_needs_no_membership(
    client: Client, issue: Issue, superuser: User, globex: Tenant
) -> None:
    assert ask(client, issue(of=superuser, tenant=globex))[0] == 200


def test_without_the_middleware_no_scope_is_opened(
    issue: Issue, rf: RequestFactory
) -> None:
    request = rf.get("/", headers={"Authorization": f"Bearer {issue()}"})

    with pytest.raises(RuntimeError, match="TenantMiddleware"):
        TokenAuthentication().authenticate(Request(request))

    assert active_tenant_id() is None


def test_only_the_hash_is_stored(issue: Issue) -> None:
    secret = issue()

    row = ApiToken.all_tenants.values().get()

    assert row["digest"] == digest(secret)
    assert len(secret) >= 43
    assert secret.startswith(row["prefix"])
    assert secret not in str(row)


def test_a_check_costs_one_query_and_one_write_a_minute(
    issue: Issue, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    secret = issue()

    with django_assert_num_queries(2):
        check_token(secret)
    with django_assert_num_queries(1):
        check_token(secret)

    assert ApiToken.all_tenants.get().last_used_at is not None


@pytest.mark.parametrize(
    ("scope", "days", "field"),
    [("write", 1, "scopes"), ("read", 367, "expires_at")],
)
def test_a_token_the_rules_forbid(
    issue: Issue, scope: str, days: int, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        issue(scope=scope, days=days)

    assert set(refused.value.message_dict) == {field}


@pytest.mark.parametrize("scopes", [[], "read", {"read": 1}, ["read", "root"]])
def test_scopes_are_a_list_of_known_words(
    user: User, acme: Tenant, scopes: list[str]
) -> None:
    token = ApiToken(
        user=user, tenant=acme, name="t", scopes=scopes, expires_at=timezone.now()
    )

    with pytest.raises(ValidationError) as refused:
        token.clean_fields(exclude=["last_used_at", "revoked_at", "prefix", "digest"])

    assert set(refused.value.message_dict) == {"scopes"}


def created(*arguments: str) -> str:
    out = StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_prints_a_token_that_works(
    client: Client, user: User, acme: Tenant
) -> None:
    secret = created("jo", "--tenant", "acme", "--scope", "read", "--scope", "run")

    assert ask(client, secret)[0] == 200
    assert ApiToken.all_tenants.get().scopes == ["read", "run"]
    entry = AuditEntry.all_tenants.get()
    assert (entry.action, entry.tenant) == ("apitoken.added", acme)
    assert secret not in str(entry.changes) + entry.label


def test_the_command_as_json(user: User) -> None:
    answer = json.loads(created("jo", "--tenant", "acme", "--days", "2", "--json"))

    assert set(answer) == {"token", "expires_at"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "--tenant", "acme"], "No such active user: nobody"),
        (["jo", "--tenant", "nowhere"], "No such active tenant: nowhere"),
        (["jo", "--tenant", "globex"], "jo may not enter the tenant globex"),
        (["jo", "--tenant", "acme", "--days", "0"], "expected 1 to 366"),
        (["jo", "--tenant", "acme", "--days", "367"], "expected 1 to 366"),
    ],
)
def test_the_command_refuses(
    user: User, globex: Tenant, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        created(*arguments)

    assert not ApiToken.all_tenants.exists()
