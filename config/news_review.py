"""The section of a review on what is new: changelog and feature list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from observability.review_values import Figure, Period, ReviewTable, Section, words
from tenants.scope import Actor

_HEADING = re.compile(r"## (?P<version>\d+\.\d+\.\d+) — (?P<day>\S+)")
_ROW = re.compile(r"\|(?P<feature>.+)\|(?P<since>\s*\d+\.\d+\s*)\|(?P<tests>.+)\|")
_MARKS = re.compile(r"[*`]")


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the changelog.

    Attributes:
        day: None while it is not released: this portal runs it all the same.
        entries: One sentence each, without marks.
    """

    version: str
    day: date | None
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """One row of the feature list."""

    text: str
    since: str
    tests: str


def review_section(period: Period, actor: Actor) -> Section:
    """Say which versions came in the period, and what they brought."""
    every = releases_of(_page("CHANGELOG.md"))
    releases = [one for one in every if _is_in(one, period)]
    short = {one.version.rpartition(".")[0] for one in releases}
    features = [
        one for one in features_of(_page("docs/features.md")) if one.since in short
    ]
    return Section(
        key="news",
        title=words("새로워진 것", "What is new"),
        figures=(
            Figure(
                "versions",
                words("이 기간의 버전", "Versions of the period"),
                len(releases),
                source="CHANGELOG.md",
            ),
            Figure(
                "features",
                words("새 기능", "New features"),
                len(features),
                source="docs/features.md",
            ),
        ),
        tables=(_changes(releases), _features(features)),
    )


def _changes(releases: Iterable[Release]) -> ReviewTable:
    return ReviewTable(
        "changes",
        words("변경 사항", "Changes"),
        (words("버전", "Version"), words("내용", "What")),
        tuple((one.version, entry) for one in releases for entry in one.entries),
    )


def _features(features: Iterable[Feature]) -> ReviewTable:
    return ReviewTable(
        "features",
        words("새 기능과 증명", "New features and their proof"),
        (words("기능", "Feature"), words("버전", "Since"), words("증명", "Proven by")),
        tuple((one.text, one.since, one.tests) for one in features),
    )


def releases_of(changelog: str) -> Iterator[Release]:
    """Yield the versions of a changelog, in its order."""
    parts = _HEADING.split(changelog)
    for version, day, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        entries = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
        yield Release(version, _day(day), tuple(_plain(entry) for entry in entries))


def features_of(page: str) -> Iterator[Feature]:
    """Yield the rows of the feature list that have a version."""
    for line in page.splitlines():
        if (row := _ROW.fullmatch(line.strip())) is not None:
            yield Feature(
                _plain(row["feature"]), row["since"].strip(), _plain(row["tests"])
            )


def _page(name: str) -> str:
    return (Path(settings.BASE_DIR) / name).read_text(encoding="utf-8")


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text[:1].isdecimal() else None


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", text).split())


def _is_in(release: Release, period: Period) -> bool:
    if release.day is None:
        return True
    zone = ZoneInfo(settings.TIME_ZONE)
    first = period.starts.astimezone(zone).date()
    last = (period.ends - timedelta(microseconds=1)).astimezone(zone).date()
    return first <= release.day <= last
