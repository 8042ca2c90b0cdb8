"""The section of a review on what was measured: requests, errors, latency, room.

More parts join by one line in `PARTS`; each is a `Section` of its own figures, tables
and findings, and together they are this app's section.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from django.conf import settings

from observability import storage
from observability.capacity import capacity_part
from observability.review_followup import followup_part
from observability.review_periods import period_before, period_name
from observability.review_values import (
    Cell,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    Words,
    words,
)
from observability.slo import Tally, merged
from tenants.scope import Actor

Tallies: TypeAlias = Mapping[tuple[str, str], Tally]

_TOP = 10
_MONTHS_BEFORE = 3
# Below these a share or a percentile says little.
_ENOUGH_CALLS = 20
_BAD_SHARE = 0.05
_SLOWER = 1.5
_WATCHED = ("operation", "data_source", "screen", "block", "menu", "page")
_SOURCE = "observability_measurement: kind={kind}, starts_at"


@dataclass(frozen=True, slots=True)
class _Measured:
    """What was counted in a period and in those before it, the latest first."""

    period: Period
    now: Tallies
    earlier: tuple[tuple[Period, Tallies], ...]

    @property
    def before(self) -> Tallies:
        return self.earlier[0][1]


def review_section(period: Period, actor: Actor) -> Section:
    """Say how often, how well and how fast, and how much room is left."""
    parts = [part(period, actor) for part in PARTS]
    return Section(
        key="measured",
        title=words("측정값", "What was measured"),
        figures=tuple(figure for part in parts for figure in part.figures),
        tables=tuple(table for part in parts for table in part.tables),
        findings=tuple(finding for part in parts for finding in part.findings),
    )


def traffic_part(period: Period, actor: Actor) -> Section:
    measured = _read(period, actor)
    return Section(
        key="traffic",
        title=words("요청", "Requests"),
        figures=tuple(_figures(measured)),
        tables=(
            _trend(measured),
            _by_kind(measured),
            _slowest(measured),
            _failing(measured),
        ),
        findings=tuple(_findings(measured)),
    )


PARTS: tuple[Callable[[Period, Actor], Section], ...] = (
    traffic_part,
    capacity_part,
    followup_part,
)


def _read(period: Period, actor: Actor) -> _Measured:
    earlier = []
    one = period
    for _number in range(_MONTHS_BEFORE):
        one = period_before(one, zone=settings.TIME_ZONE)
        earlier.append((one, _between(one, actor)))
    return _Measured(period, _between(period, actor), tuple(earlier))


def _between(period: Period, actor: Actor) -> Tallies:
    return storage.between(
        tenant_id=actor.tenant_id, starts=period.starts, ends=period.ends
    )


def _of_kind(tallies: Tallies, kind: str) -> Tally:
    return merged(tally for (found, _key), tally in tallies.items() if found == kind)


def _figures(measured: _Measured) -> Iterator[Figure]:
    now, before = _of_kind(measured.now, "page"), _of_kind(measured.before, "page")
    source = _SOURCE.format(kind="page")
    for key, label, unit, of in _PAGE_FIGURES:
        yield Figure(key, label, of(now), unit, of(before), source)
    label = words("오류, 모든 종류", "Errors of every kind")
    yield Figure(
        "errors-of-every-kind",
        label,
        _errors(measured.now),
        before=_errors(measured.before),
        source="observability_measurement: SUM(bad)",
    )


def _errors(tallies: Tallies) -> int | None:
    return sum(tally.bad for tally in tallies.values()) if tallies else None


def _count(tally: Tally) -> int | None:
    return tally.count or None


def _bad(tally: Tally) -> int | None:
    return tally.bad if tally.count else None


def _share(tally: Tally) -> float | None:
    return round(100 * tally.bad / tally.count, 3) if tally.count else None


def _percentile(percent: float) -> Callable[[Tally], float | None]:
    def read(tally: Tally) -> float | None:
        found = tally.percentile_us(percent)
        return None if found is None else round(found / 1_000, 3)

    return read


_p50, _p95, _p99 = _percentile(50), _percentile(95), _percentile(99)
_PAGE_FIGURES: tuple[tuple[str, Words, str, Callable[[Tally], Cell]], ...] = (
    ("requests", words("요청", "Requests"), "", _count),
    ("failed-requests", words("실패한 요청", "Failed requests"), "", _bad),
    ("error-share", words("오류율", "Error share"), "%", _share),
    ("p50", words("응답 시간 p50", "Response time, p50"), "ms", _p50),
    ("p95", words("응답 시간 p95", "Response time, p95"), "ms", _p95),
    ("p99", words("응답 시간 p99", "Response time, p99"), "ms", _p99),
)
_KEY = words("키", "Key")
_ERRORS_BEFORE = words("지난 기간 오류", "Errors before")
_KIND = words("종류", "Kind")
_COUNT = words("건수", "Count")
_ERRORS = words("오류", "Errors")
_SHARE = words("오류율, %", "Error share, %")
_P50 = words("p50, ms", "p50, ms")
_P95 = words("p95, ms", "p95, ms")
_P99 = words("p99, ms", "p99, ms")
_LONGEST = words("최대, ms", "Longest, ms")
_P95_BEFORE = words("지난 기간 p95, ms", "p95 before, ms")


def _trend(measured: _Measured) -> ReviewTable:
    rows = [(measured.period, measured.now), *measured.earlier]
    return ReviewTable(
        "trend",
        words("요청의 추이", "Trend of requests"),
        (words("기간", "Period"), _COUNT, _ERRORS, _SHARE, _P50, _P95, _P99),
        tuple(
            (
                period_name(period, zone=settings.TIME_ZONE),
                *(of(_of_kind(tallies, "page")) for *_words, of in _PAGE_FIGURES),
            )
            for period, tallies in rows
        ),
    )


def _by_kind(measured: _Measured) -> ReviewTable:
    kinds = sorted({kind for kind, _key in measured.now})
    return ReviewTable(
        "kinds",
        words("종류별", "By kind"),
        (_KIND, _COUNT, _ERRORS, _SHARE, _P50, _P95, _P99, _P95_BEFORE),
        tuple(
            (
                kind,
                *(of(_of_kind(measured.now, kind)) for *_w, of in _PAGE_FIGURES),
                _p95(_of_kind(measured.before, kind)),
            )
            for kind in kinds
        ),
    )


def _slowest(measured: _Measured) -> ReviewTable:
    operations = {
        key: tally for (kind, key), tally in measured.now.items() if kind == "operation"
    }
    slow = sorted(operations, key=lambda key: (-(_p95(operations[key]) or 0), key))
    return ReviewTable(
        "slowest-operations",
        words(f"가장 느린 오퍼레이션 {_TOP}개", f"The {_TOP} slowest operations"),
        (_KEY, _COUNT, _P50, _P95, _P99, _LONGEST, _P95_BEFORE),
        tuple(
            (
                key,
                operations[key].count,
                _p50(operations[key]),
                _p95(operations[key]),
                _p99(operations[key]),
                round(operations[key].max_us / 1_000, 3),
                _p95(measured.before.get(("operation", key), Tally())),
            )
            for key in slow[:_TOP]
        ),
    )


def _failing(measured: _Measured) -> ReviewTable:
    failing = [(name, tally) for name, tally in measured.now.items() if tally.bad]
    failing.sort(key=lambda item: (-item[1].bad, item[0]))
    return ReviewTable(
        "failures",
        words("가장 많이 실패한 것", "What failed most"),
        (
            _KIND,
            _KEY,
            _COUNT,
            _ERRORS,
            _SHARE,
            _ERRORS_BEFORE,
        ),
        tuple(
            (
                *name,
                tally.count,
                tally.bad,
                _share(tally),
                _bad(measured.before.get(name, Tally())),
            )
            for name, tally in failing[:_TOP]
        ),
    )


def _findings(measured: _Measured) -> Iterator[Finding]:
    """Yield what failed often, and what became much slower; one a kind and key."""
    for (kind, key), tally in sorted(measured.now.items()):
        if kind not in _WATCHED or tally.count < _ENOUGH_CALLS:
            continue
        if tally.bad / tally.count > _BAD_SHARE:
            share = _share(tally)
            yield Finding(
                f"failing:{kind}:{key}",
                words(
                    f"{kind} {key}: {tally.count:,}건 중 {tally.bad:,}건"
                    f"({share}%)이 실패했습니다.",
                    f"{kind} {key}: {tally.bad:,} of {tally.count:,} failed "
                    f"({share} %).",
                ),
            )
        earlier = measured.before.get((kind, key), Tally())
        was, now = _p95(earlier), _p95(tally)
        if earlier.count >= _ENOUGH_CALLS and was and now and now > _SLOWER * was:
            yield Finding(
                f"slower:{kind}:{key}",
                words(
                    f"{kind} {key}: p95가 {was:,} ms에서 {now:,} ms로 늘었습니다.",
                    f"{kind} {key}: p95 rose from {was:,} ms to {now:,} ms.",
                ),
            )
