"""A decision table must not lend a right: its editor needs it for every operation."""

import pytest
from django.core.exceptions import ValidationError

from branching.forms import UsableOperations
from connectors.models import DataSource, Operation
from tenants.models import Tenant, User
from tenants.permissions import grant
from tenants.scope import Actor, using_tenant


@pytest.fixture
def operation(in_acme: Tenant) -> Operation:
    source = DataSource.objects.create(
        key="usable", kind="http", address="https://api.example"
    )
    made: Operation = Operation.objects.create(key="usable", source=source)
    return made


STEPS = [{"on": ["timeout"], "kind": "operation", "operation": "usable"}]


@pytest.mark.parametrize("value", ["usable", STEPS], ids=["a call", "a fallback"])
def test_an_operation_one_may_not_use_is_refused_by_name(
    operation: Operation, actor: Actor, value: object
) -> None:
    with pytest.raises(ValidationError, match="usable"):
        UsableOperations(actor)(value)


@pytest.mark.parametrize("value", ["usable", STEPS], ids=["a call", "a fallback"])
def test_a_grant_lets_it_in(
    operation: Operation, actor: Actor, user: User, value: object
) -> None:
    grant("use_operation", operation, to=user, actor=None)

    assert UsableOperations(actor)(value) is None


@pytest.mark.parametrize("value", ["", "unknown", [], [1], [{"operation": 7}], None, 5])
def test_what_names_no_operation_is_left_to_the_table(
    operation: Operation, actor: Actor, value: object
) -> None:
    with using_tenant(actor.tenant_id):
        assert UsableOperations(actor)(value) is None
