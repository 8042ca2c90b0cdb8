"""The copilot on the demo's real screens, with the rights of its real people."""

from __future__ import annotations

import pytest

from copilot import services
from copilot.proposals import Proposal, Question, Refusal
from demo.loader import load_demo
from screens.models import ScreenVersion
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant

WISHES = [
    ("weather", "월별 집계를 그리드로 바꿔줘", Proposal),
    ("weather", "make temperature full width", Proposal),
    ("weather", "sort by month by rainfall descending", Proposal),
    ("weather", "일별 기록에서 날씨 컬럼 빼줘", Proposal),
    ("weather", "기온을 막대 그래프로 바꿔줘", Proposal),
    ("earthquakes", "규모 분포 삭제해줘", Proposal),
    ("earthquakes", "move by region to the top", Proposal),
    ("earthquakes", "목록을 표로 바꿔줘", Question),
    ("overview", "swap Generation by source and Body mass of penguins", Proposal),
    ("overview", "큰 지진을 표로 추가해줘", Proposal),
    ("overview", "refresh everything every 5 minutes", Refusal),
    ("overview", "remove the stock market block", Refusal),
]


@pytest.fixture
def hanbit(db: None) -> Tenant:
    load_demo()
    return Tenant.objects.get(key="hanbit")


@pytest.mark.parametrize("username", ["admin", "operator"])
def test_wishes_about_the_demo(hanbit: Tenant, username: str) -> None:
    user = User.objects.get(username=username)
    actor = Actor(user_id=user.pk, tenant_id=hanbit.pk)
    with using_tenant(hanbit):
        versions = {
            row.screen.key: row
            for row in ScreenVersion.objects.select_related("screen")
        }
        found = {
            wish: services.propose(versions[screen], wish, actor=actor)
            for screen, wish, _kind in WISHES
        }

    wrong = {
        wish: found[wish]
        for _screen, wish, kind in WISHES
        if not isinstance(found[wish], kind)
    }
    assert wrong == {}
