"""What is new is read from the changelog and the feature list, by version."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pytest_django import Settings

from config.news_review import Release, features_of, releases_of, review_section
from observability.review_periods import parse_period
from observability.review_values import Cadence
from tenants.scope import Actor

ROOT = Path(__file__).resolve().parent.parent.parent
CHANGELOG = """\
# Changelog

## 0.3.0 — unreleased

- **Soon**: `things` that
  come.

## 0.2.0 — 2026-10-31

- One.
- Two.

## 0.1.0 — 2026-09-30

- Old.
"""


def test_the_changelog_is_read_by_version() -> None:
    assert list(releases_of(CHANGELOG)) == [
        Release("0.3.0", None, ("Soon: things that come.",)),
        Release("0.2.0", date(2026, 10, 31), ("One.", "Two.")),
        Release("0.1.0", date(2026, 9, 30), ("Old.",)),
    ]


def test_our_own_pages_are_read() -> None:
    features = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    rows = [line for line in features.splitlines() if "`tests/" in line]

    assert len(list(features_of(features))) == len(rows) > 50


def test_a_version_is_told_in_the_month_it_came(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    row = "| `{0}` came | {0} | `tests/test_docs.py` |\n"
    table = "".join(row.format(since) for since in ("0.1", "0.2", "0.3"))
    (tmp_path / "docs" / "features.md").write_text(table, encoding="utf-8")
    settings.BASE_DIR = tmp_path

    def told(name: str) -> list[object]:
        period = parse_period(name, Cadence.MONTHLY, zone="Asia/Seoul")
        assert period is not None
        changes, features = review_section(period, Actor(0, 1)).tables
        return [*dict.fromkeys(row[0] for row in changes.rows), len(features.rows)]

    assert told("2026-10") == ["0.3.0", "0.2.0", 2]
    assert told("2026-09") == ["0.3.0", "0.1.0", 2]
    assert told("2026-11") == ["0.3.0", 1]
