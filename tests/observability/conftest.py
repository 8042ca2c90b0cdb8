"""What the tests of this app share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from opentelemetry import context
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from observability import services, tracing
from observability.held_traces import Held
from observability.models import AlertChannel
from observability.trace_export import readable
from tenants.models import Tenant, User


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> Iterator[None]:
    """Every test begins as a process that has measured nothing."""
    services.recorder.after_fork()
    tracing.reset()
    # A streamed page that an earlier test left open keeps its trace on this thread.
    token = context.attach(context.Context())
    yield
    context.detach(token)
    services.recorder.after_fork()
    tracing.reset()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span that ends, all of them sampled."""
    exporter = InMemorySpanExporter()
    tracing.use_sinks([lambda held: _export(exporter, held)], share=1.0)
    return exporter


@pytest.fixture
def channel(acme: Tenant) -> AlertChannel:
    """An e-mail channel of acme, in English."""
    made: AlertChannel = AlertChannel.all_tenants.create(
        tenant=acme,
        key="ops",
        kind="email",
        recipients="ops@example.org",
        language="en",
    )
    return made


@pytest.fixture
def chief(user: User, client: Client, acme: Tenant) -> User:
    """A superuser at work in acme."""
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user, backend="tenants.backends.TenantBackend")
    client.post("/switch-tenant/", {"key": "acme", "next": "/"})
    return user


def _export(exporter: InMemorySpanExporter, held: Held) -> None:
    exporter.export(readable(held))
