"""tenants/permissions.py: can, why, who else, on one object."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tenants.messages import answer_text
from tenants.models import ApiToken, AuditEntry, Membership, Team, Tenant, User
from tenants.permissions import (
    Answer,
    Holder,
    can,
    grant,
    revoke,
    team_ids,
    who_else,
    why,
)
from tenants.scope import Actor, WrongTenant
from tenants.tokens import issue_token

VIEW = "view_apitoken"


@pytest.fixture
def target(user: User, acme: Tenant) -> ApiToken:
    """A row of acme; which model it is does not matter here."""
    until = timezone.now() + timedelta(days=1)
    row, _ = issue_token(user, tenant=acme, name="a", scopes=["read"], expires_at=until)
    return row


@pytest.fixture
def team(user: User, acme: Tenant) -> Team:
    team = Team.objects.create(tenant=acme, label="Operators")
    team.add(user)
    return team


def test_nothing_is_allowed_without_a_grant(actor: Actor, target: ApiToken) -> None:
    assert why(actor, VIEW, target) == Answer(False, "no-grant")


def test_a_grant_to_the_user(actor: Actor, user: User, target: ApiToken) -> None:
    grant(VIEW, target, to=user, actor=actor)

    assert why(actor, VIEW, target) == Answer(True, "granted-to-user", "jo")
    assert can(actor, VIEW, target)
    assert not can(actor, "change_apitoken", target)


def test_a_grant_to_a_team(actor: Actor, team: Team, target: ApiToken) -> None:
    grant(VIEW, target, to=team, actor=actor)

    assert why(actor, VIEW, target) == Answer(True, "granted-to-team", "Operators")


def test_a_grant_on_one_row_says_nothing_of_another(
    actor: Actor, user: User, acme: Tenant, target: ApiToken
) -> None:
    until = timezone.now() + timedelta(days=1)
    other, _ = issue_token(
        user, tenant=acme, name="b", scopes=["read"], expires_at=until
    )

    grant(VIEW, target, to=user, actor=actor)

    assert not can(actor, VIEW, other)


def test_a_superuser_may_everything_in_the_tenant_they_act_in(
    superuser: User, acme: Tenant, globex: Tenant, target: ApiToken
) -> None:
    here = Actor(user_id=superuser.pk, tenant_id=acme.pk)
    elsewhere = Actor(user_id=superuser.pk, tenant_id=globex.pk)

    assert why(here, VIEW, target) == Answer(True, "superuser", "root")
    assert why(elsewhere, VIEW, target) == Answer(False, "other-tenant")


def test_a_grant_ends_with_the_membership(
    actor: Actor, user: User, team: Team, target: ApiToken
) -> None:
    grant(VIEW, target, to=team, actor=actor)
    grant(VIEW, target, to=user, actor=actor)

    Membership.objects.filter(user=user).delete()

    assert why(actor, VIEW, target) == Answer(False, "no-member")
    assert who_else(VIEW, target) == [Holder("team", team.pk, "Operators")]


def test_an_inactive_or_unknown_user_may_nothing(
    actor: Actor, user: User, acme: Tenant, target: ApiToken
) -> None:
    grant(VIEW, target, to=user, actor=actor)
    User.objects.update(is_active=False)

    assert why(actor, VIEW, target) == Answer(False, "inactive-user")
    assert why(Actor(0, acme.pk), VIEW, target) == Answer(False, "inactive-user")


def test_a_member_of_an_inactive_tenant_may_nothing(
    actor: Actor, user: User, target: ApiToken
) -> None:
    grant(VIEW, target, to=user, actor=actor)
    Tenant.objects.update(is_active=False)

    assert not can(actor, VIEW, target)


def test_a_team_of_another_tenant_is_refused(
    actor: Actor, globex: Tenant, target: ApiToken
) -> None:
    team = Team.objects.create(tenant=globex, label="Operators")

    with pytest.raises(WrongTenant):
        grant(VIEW, target, to=team, actor=actor)


def test_a_user_of_another_tenant_is_refused(
    actor: Actor, outsider: User, target: ApiToken
) -> None:
    with pytest.raises(WrongTenant):
        grant(VIEW, target, to=outsider, actor=actor)


@pytest.mark.parametrize("change", [grant, revoke])
def test_an_actor_of_another_tenant_is_refused(
    change: object, user: User, globex: Tenant, target: ApiToken
) -> None:
    stranger = Actor(user_id=user.pk, tenant_id=globex.pk)

    with pytest.raises(WrongTenant):
        change(VIEW, target, to=user, actor=stranger)  # type: ignore[operator]


def test_a_row_without_a_tenant_cannot_be_granted(
    actor: Actor, user: User, acme: Tenant
) -> None:
    assert why(actor, "view_tenant", acme) == Answer(False, "other-tenant")
    assert who_else("view_tenant", acme) == []
    with pytest.raises(WrongTenant):
        grant("view_tenant", acme, to=user, actor=None)


def test_granting_twice_changes_and_records_once(
    actor: Actor, team: Team, target: ApiToken, in_acme: Tenant
) -> None:
    assert grant(VIEW, target, to=team, actor=actor)
    assert not grant(VIEW, target, to=team, actor=actor)

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user_id) == ("permission.granted", actor.user_id)
    assert entry.changes == {
        "codename": VIEW,
        "team": "Operators",
        "team_id": team.pk,
    }


def test_revoking_takes_the_grant_back(
    actor: Actor, user: User, team: Team, target: ApiToken, in_acme: Tenant
) -> None:
    grant(VIEW, target, to=team, actor=actor)
    grant(VIEW, target, to=user, actor=actor)

    taken = [revoke(VIEW, target, to=holder, actor=actor) for holder in (team, user)]
    again = revoke(VIEW, target, to=user, actor=actor)

    assert (taken, again) == ([True, True], False)
    assert not can(actor, VIEW, target)
    assert AuditEntry.objects.filter(action="permission.revoked").count() == 2


def test_who_else_lists_teams_first(
    actor: Actor, user: User, team: Team, target: ApiToken
) -> None:
    grant(VIEW, target, to=user, actor=actor)
    grant(VIEW, target, to=team, actor=actor)

    assert who_else(VIEW, target) == [
        Holder("team", team.pk, "Operators"),
        Holder("user", user.pk, "jo"),
    ]


def test_the_teams_of_an_actor_are_those_of_the_tenant(
    actor: Actor, user: User, team: Team, globex: Tenant
) -> None:
    Membership.objects.create(user=user, tenant=globex)
    other = Team.objects.create(tenant=globex, label="Operators")
    other.add(user)

    assert team_ids(actor) == (team.pk,)
    assert team_ids(Actor(user.pk, globex.pk)) == (other.pk,)


def test_answers_cost_a_constant_number_of_queries(
    actor: Actor,
    acme: Tenant,
    user: User,
    target: ApiToken,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    why(actor, VIEW, target)  # Django keeps the content type from here on
    for number in range(5):
        team = Team.objects.create(tenant=acme, label=f"Team {number}")
        team.add(user)
        grant(VIEW, target, to=team, actor=actor)

    with django_assert_num_queries(3):
        why(actor, VIEW, target)
    with django_assert_num_queries(2):
        who_else(VIEW, target)
    with django_assert_num_queries(1):
        team_ids(actor)


def test_every_rule_has_words() -> None:
    rules = {
        "superuser", "granted-to-user", "granted-to-team", "other-tenant",
        "inactive-user", "no-member", "no-grant",
    }  # fmt: skip

    words = {answer_text(Answer(False, rule, "jo")) for rule in rules}  # type: ignore[arg-type]

    assert len(words) == len(rules)
