"""The section of a review on screens: published, left as drafts, or with faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db.models import F
from django.utils import translation

from observability.review_values import (
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    Words,
    words,
)
from screens.document import DocumentError
from screens.models import Screen, ScreenVersion
from screens.versions import screen_faults
from tenants.models import AuditEntry, User
from tenants.scope import Actor, using_tenant

OLD_DRAFT = timedelta(days=30)
_DAYS = OLD_DRAFT.days
_SCREEN = words("화면", "Screen")

Published: TypeAlias = tuple[str, int, str, datetime]
"""Key of the screen, number of the version, who published it, and when."""


def review_section(period: Period, actor: Actor) -> Section:
    """Say what was published, what lies about as a draft, and what leads nowhere."""
    with using_tenant(actor.tenant_id):
        published = _published(period, actor)
        drafts = _old_drafts(period.ends)
        open_screens = Screen.objects.open_to_readers().count()
        faults = _faults()
    return Section(
        key="screens",
        title=words("화면", "Screens"),
        figures=tuple(_figures(open_screens, published, drafts, faults)),
        tables=(
            ReviewTable(
                "published-versions",
                words("발행된 버전", "Published versions"),
                (_SCREEN, words("버전", "Version"), words("누가", "By whom")),
                tuple((key, number, who) for key, number, who, _at in published),
            ),
            ReviewTable(
                "old-drafts",
                words(f"{_DAYS}일 넘은 초안", f"Drafts older than {_DAYS} days"),
                (_SCREEN, words("버전", "Version"), words("저장", "Saved")),
                tuple((key, number, f"{at:%Y-%m-%d}") for key, number, at in drafts),
            ),
        ),
        findings=tuple(_findings(drafts, faults)),
    )


def _published(period: Period, actor: Actor) -> list[Published]:
    """Read the audit trail: a version that was published twice is there twice."""
    entries = AuditEntry.all_tenants.of_chain(actor.tenant_id).filter(
        action="screen.published", at__gte=period.starts, at__lt=period.ends
    )
    rows = list(entries.order_by("at", "pk"))
    users = User.objects.in_bulk({row.user_id for row in rows if row.user_id})
    keys = dict(Screen.objects.values_list("pk", "key"))
    return [
        (
            # The screen may be gone since; the label is what people knew it by.
            keys.get(int(row.target_id), row.label),
            int(row.changes["version"][1]),
            users[row.user_id].get_username() if row.user_id in users else "–",
            row.at,
        )
        for row in rows
    ]


def _old_drafts(ends: datetime) -> list[tuple[str, int, datetime]]:
    """Return drafts that are newer than what readers see, and old all the same."""
    drafts = ScreenVersion.objects.filter(
        state=ScreenVersion.State.DRAFT,
        screen__retired=False,
        created_at__lt=ends - OLD_DRAFT,
    )
    waiting = drafts.filter(screen__published=None) | drafts.filter(
        number__gt=F("screen__published__number")
    )
    rows = waiting.order_by("screen__key", "number")
    return list(rows.values_list("screen__key", "number", "created_at"))


def _faults() -> dict[str, list[Words]]:
    """Return what `check_screens` says of screens with faults, in both languages."""
    told: dict[str, Mapping[str, tuple[DocumentError, ...]]] = {}
    for language in ("ko", "en"):
        with translation.override(language):
            told[language] = screen_faults()
    return {
        key: [
            words(
                f"{korean.pointer} {korean.message}",
                f"{english.pointer} {english.message}",
            )
            for korean, english in zip(faults, told["en"][key], strict=True)
        ]
        for key, faults in told["ko"].items()
        if faults
    }


def _figures(
    open_screens: int,
    published: list[Published],
    drafts: list[tuple[str, int, datetime]],
    faults: Mapping[str, list[Words]],
) -> Iterator[Figure]:
    yield Figure(
        "open-screens",
        words("독자에게 열린 화면", "Screens open to readers"),
        open_screens,
        source="screens_screen: published, retired",
    )
    yield Figure(
        "published-versions",
        words("발행된 버전", "Published versions"),
        len(published),
        source="tenants_auditentry: action=screen.published",
    )
    yield Figure(
        "old-drafts",
        words(f"{_DAYS}일 넘은 초안", f"Drafts older than {_DAYS} days"),
        len(drafts),
        source="screens_screenversion: state=draft, created_at",
    )
    yield Figure(
        "faulty-screens",
        words("가리키는 것이 없는 화면", "Screens with names that lead nowhere"),
        len(faults),
        source="manage.py check_screens",
    )


def _findings(
    drafts: list[tuple[str, int, datetime]], faults: Mapping[str, list[Words]]
) -> Iterator[Finding]:
    for key, number, _at in drafts:
        yield Finding(
            f"old-draft:{key}:{number}",
            words(
                f"화면 {key}: 초안 {number}이(가) {_DAYS}일 넘게 발행되지 않았습니다.",
                f"Draft {number} of the screen {key} has waited for over {_DAYS} days.",
            ),
        )
    for key, found in sorted(faults.items()):
        yield Finding(
            f"faulty-screen:{key}",
            words(
                f"화면 {key}: " + " ".join(one["ko"] for one in found),
                f"Screen {key}: " + " ".join(one["en"] for one in found),
            ),
        )
