"""The section of a review on menus: which are dead, who sees what, stale grants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from menus import access_review
from menus.access_review import How, Seen, Stale, StaleGrant
from menus.models import Menu
from menus.visibility import Kind
from observability.review_values import (
    Cadence,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    Words,
    words,
)
from observability.services import measured_between
from observability.slo import Tally
from tenants.reviewing import DORMANT, made_since
from tenants.scope import Actor, using_tenant

_DAYS = DORMANT.days
_MENU = words("메뉴", "Menu")
_HOLDER = words("보유자", "Held by")
_HOW: Mapping[How, Words] = {
    How.SUPERUSER: words("최고 관리자", "superuser"),
    How.OWN: words("본인에게 부여", "granted to the user"),
    How.TEAM: words("팀에 부여", "granted to a team"),
}
_WHY: Mapping[Stale, Words] = {
    Stale.NO_MEMBER: words("테넌트의 구성원이 아님", "is not of this tenant"),
    Stale.INACTIVE: words("사용 중지된 계정", "the account is switched off"),
    Stale.DORMANT: words(
        f"{_DAYS}일 넘게 로그인하지 않음", f"has not signed in for {_DAYS} days"
    ),
    Stale.UNUSED: words("이 기간에 쓰지 않음", "was not used in the period"),
    Stale.BESIDE_TEAM: words("팀이 이미 같은 것을 부여함", "a team gives the same"),
    Stale.NO_MEANING: words("메뉴가 모르는 권한", "means nothing to a menu"),
    Stale.EMPTY_TEAM: words("팀에 사용 중인 구성원이 없음", "nobody is on the team"),
}


def review_section(period: Period, actor: Actor) -> Section:
    """Say which menus nobody opened; in a quarter also who sees what, and why."""
    opened = measured_between(
        "menu", tenant_id=actor.tenant_id, starts=period.starts, ends=period.ends
    )
    with using_tenant(actor.tenant_id):
        slugs = _screen_menus()
        young = made_since(Menu, period.starts, tenant_id=actor.tenant_id)
        access = _access(period) if period.cadence is Cadence.QUARTERLY else None
    dead = None if opened is None else _dead(slugs, opened, young)
    figures, tables = [*_menu_figures(slugs, opened, dead)], [_dead_table(dead or ())]
    findings = [*_dead_findings(dead or ())]
    if access is not None:
        figures += _access_figures(access)
        tables += [_matrix(access.seen), _stale_table(access.stale)]
        findings += _stale_findings(access.stale)
    return Section(
        key="menus",
        title=words("메뉴와 접근 권한", "Menus and access"),
        figures=tuple(figures),
        tables=tuple(tables),
        findings=tuple(findings),
        subjects=access.subjects if access is not None else (),
    )


@dataclass(frozen=True, slots=True)
class _Access:
    seen: tuple[Seen, ...]
    stale: tuple[StaleGrant, ...]
    subjects: tuple[int, ...]


def _access(period: Period) -> _Access:
    found = access_review.read_access(since=period.starts)
    stale = access_review.stale_grants(found, starts=period.starts, ends=period.ends)
    return _Access(
        seen=tuple(access_review.matrix(found)),
        stale=tuple(stale),
        subjects=tuple(pk for pk, user in found.users.items() if user.is_active),
    )


def _screen_menus() -> dict[str, str]:
    """Return the primary key, as text, of every menu that opens a screen, by slug."""
    rows = Menu.objects.filter(
        kind=Kind.SCREEN.value,
        enabled=True,
        screen__retired=False,
        screen__published__isnull=False,
    )
    pairs = rows.order_by("slug").values_list("pk", "slug")
    return {slug: str(pk) for pk, slug in pairs}


def _dead(
    slugs: Mapping[str, str], opened: Mapping[str, Tally], young: set[str]
) -> list[str]:
    """Return menus that nobody opened although they were there all the time."""
    return [
        slug for slug, pk in slugs.items() if slug not in opened and pk not in young
    ]


def _menu_figures(
    slugs: Mapping[str, str],
    opened: Mapping[str, Tally] | None,
    dead: Sequence[str] | None,
) -> Iterator[Figure]:
    source = "observability_measurement: kind=menu"
    yield Figure(
        "screen-menus",
        words("화면을 여는 메뉴", "Menus that open a screen"),
        len(slugs),
        source="menus_menu: kind=screen, enabled",
    )
    yield Figure(
        "opened",
        words("메뉴를 연 횟수", "Menus opened"),
        sum(tally.count for tally in opened.values()) if opened else None,
        source=source,
    )
    yield Figure(
        "dead-menus",
        words("아무도 열지 않은 메뉴", "Menus nobody opened"),
        None if dead is None else len(dead),
        source=source,
    )


def _access_figures(access: _Access) -> Iterator[Figure]:
    yield Figure(
        "people-with-access",
        words("메뉴를 볼 수 있는 사람", "People who see a menu"),
        len({line.username for line in access.seen}),
        source="menus.services.visible_menus",
    )
    yield Figure(
        "access-lines",
        words("사람과 메뉴의 쌍", "Pairs of person and menu"),
        len(access.seen),
        source="menus.services.visible_menus",
    )
    yield Figure(
        "stale-grants",
        words("살펴볼 권한", "Grants to look at"),
        len(access.stale),
        source="menus_menuuserobjectpermission, menus_menugroupobjectpermission",
    )


def _dead_table(dead: Sequence[str]) -> ReviewTable:
    return ReviewTable(
        "dead-menus",
        words("아무도 열지 않은 메뉴", "Menus nobody opened"),
        (_MENU,),
        tuple((slug,) for slug in dead),
    )


def _matrix(seen: Sequence[Seen]) -> ReviewTable:
    inherited = words("위에서 물려받음", "inherited from above")
    here = words("이 메뉴에서", "on this menu")
    return ReviewTable(
        "access",
        words("누가 무엇을 보는가", "Who sees what"),
        (
            words("사용자", "User"),
            _MENU,
            words("근거", "How"),
            _HOLDER,
            words("부여된 곳", "Given on"),
            words("경로", "Path"),
        ),
        tuple(
            (
                line.username,
                line.slug,
                _HOW[line.how],
                line.holder,
                line.given_at,
                here if line.given_at == line.slug else inherited,
            )
            for line in seen
        ),
    )


def _stale_table(stale: Sequence[StaleGrant]) -> ReviewTable:
    return ReviewTable(
        "stale-grants",
        words("살펴볼 권한", "Grants to look at"),
        (_MENU, _HOLDER, words("이유", "Why")),
        tuple((one.slug, one.holder, _reasons(one)) for one in stale),
    )


def _reasons(one: StaleGrant) -> Words:
    return {
        language: ", ".join(_WHY[reason][language] for reason in one.reasons)
        for language in ("ko", "en")
    }


def _dead_findings(dead: Sequence[str]) -> Iterator[Finding]:
    for slug in dead:
        yield Finding(
            f"dead-menu:{slug}",
            words(
                f"메뉴 {slug}: 아무도 열지 않았습니다. 끄거나 지우십시오.",
                f"Nobody opened the menu {slug}. Disable or delete it.",
            ),
        )


def _stale_findings(stale: Sequence[StaleGrant]) -> Iterator[Finding]:
    for one in stale:
        why = _reasons(one)
        yield Finding(
            f"stale-grant:{one.slug}:{one.holder}",
            words(
                f"메뉴 {one.slug}, 보유자 {one.holder}: {why['ko']}. "
                "유지할지 거둘지 정하십시오.",
                f"Menu {one.slug}, held by {one.holder}: {why['en']}. "
                "Keep it or take it back.",
            ),
        )
