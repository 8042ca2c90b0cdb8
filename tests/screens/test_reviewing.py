"""What was published, what lies about as a draft, and what leads nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from connectors.models import DataSource, Operation
from connectors.specs import SourceKind
from observability.review_periods import last_ended
from observability.review_values import Cadence, Period, ReviewTable, Section
from screens.models import Screen, ScreenVersion
from screens.services import publish, review_section, save_version
from tenants.models import Membership, Tenant, User
from tenants.scope import Actor


@pytest.fixture
def editor(in_acme: Tenant) -> Actor:
    user = User.objects.create_superuser("ed")
    Membership.objects.create(user=user, tenant=in_acme)
    return Actor(user.pk, in_acme.pk)


@pytest.fixture
def period() -> Period:
    return last_ended(timezone.now(), Cadence.MONTHLY, zone="Asia/Seoul")


def save(screen: Screen, editor: Actor, base: int) -> ScreenVersion:
    body: dict[str, Any] = {
        "version": 1,
        "title": {"ko": "재고", "en": "Stock"},
        "blocks": [
            {
                "id": "stock",
                "title": {"ko": "재고", "en": "Stock"},
                "source": {"operation": "stock"},
                "responses": {"default": {"format": "table"}},
            }
        ],
    }
    saved = save_version(screen, body, actor=editor, base_version=base)
    assert isinstance(saved, ScreenVersion), saved
    return saved


def table(section: Section, key: str) -> ReviewTable:
    return next(table for table in section.tables if table.key == key)


def test_published_old_drafts_and_faults(
    in_acme: Tenant, globex: Tenant, editor: Actor, period: Period
) -> None:
    source = DataSource.objects.create(
        key="plant", kind=SourceKind.SQL, address="sqlite:////tmp/none.sqlite3"
    )
    operation = Operation.objects.create(key="stock", source=source, sql="SELECT 1")
    shown, draft, gone = (
        Screen.objects.create(key=key) for key in ("shown", "draft", "gone")
    )
    publish(save(shown, editor, 0), actor=editor)
    publish(save(shown, editor, 1), actor=editor)
    for base in (0, 1):
        save(draft, editor, base)
    save(gone, editor, 0)
    Screen.objects.filter(key="gone").update(retired=True)
    inside, old = period.starts + timedelta(days=1), period.ends - timedelta(days=31)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_auditentry SET at = %s", [inside])
        cursor.execute("UPDATE screens_screenversion SET created_at = %s", [old])
        cursor.execute(
            "UPDATE screens_screenversion SET created_at = %s "
            "WHERE number = 2 AND state = 'draft'",
            [period.ends - timedelta(days=29)],
        )
    operation.delete()

    section = review_section(period, Actor(0, in_acme.pk))

    figures = {figure.key: figure.value for figure in section.figures}
    assert figures == {
        "open-screens": 1, "published-versions": 2, "old-drafts": 1, "faulty-screens": 1
    }  # fmt: skip
    published = table(section, "published-versions").rows
    assert published == (("shown", 1, "ed"), ("shown", 2, "ed"))
    drafts = table(section, "old-drafts").rows
    assert [row[:2] for row in drafts] == [("draft", 1)]
    found = {finding.key: finding.text for finding in section.findings}
    assert set(found) == {"old-draft:draft:1", "faulty-screen:shown"}
    told = found["faulty-screen:shown"]
    assert "stock" in told["ko"]
    assert "stock" in told["en"]
    assert told["ko"] != told["en"]
    other = review_section(period, Actor(0, globex.pk))
    assert {figure.value for figure in other.figures} == {0}
