"""A frozen review as Markdown and as HTML, from the snapshot alone. Pure.

The same snapshot and language give the same bytes, whatever has happened since.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from zoneinfo import ZoneInfo

from observability.review_periods import period_name
from observability.review_snapshots import Snapshot, as_text, digest_of
from observability.review_values import (
    Cadence,
    Cell,
    Figure,
    Finding,
    ReviewTable,
    Section,
    Words,
    words,
)

LANGUAGES = ("ko", "en")
NOT_MEASURED = "–"

_TITLES: Mapping[Cadence, Words] = {
    Cadence.MONTHLY: words("월간 점검", "Monthly review"),
    Cadence.QUARTERLY: words("분기 점검", "Quarterly review"),
}
_PERIOD = words("기간", "Period")
_TAKEN = words("수집 시각", "Collected")
_DIGEST = words("SHA-256", "SHA-256")
_FIGURES = (
    words("항목", "Figure"),
    words("값", "Value"),
    words("지난 기간", "Before"),
    words("다시 세는 방법", "How to count it again"),
)
_FINDINGS = words("결정할 것", "Findings")
_NO_FINDING = words("결정할 것이 없습니다.", "Nothing to decide on.")
_EMPTY_TABLE = words("해당하는 것이 없습니다.", "None.")

# Letters that would begin or end something else in Markdown.
_MARKED = re.compile(r"([\\`*_{}\[\]<>|#~])")
_BREAKS = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")

STYLE = """\
:root { color-scheme: light dark; }
body { font: 15px/1.55 system-ui, "Noto Sans KR", sans-serif; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.25rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border: 1px solid #8886; padding: .3rem .5rem; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
.review-number { text-align: right; font-variant-numeric: tabular-nums; }
.review-digest { font-family: monospace; overflow-wrap: anywhere; }
@media print {
  body { max-width: none; margin: 0; font-size: 10pt; }
  h2 { break-after: avoid; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""


def title_of(snapshot: Snapshot, language: str) -> str:
    """Return such as ``Monthly review 2026-10 · Acme``."""
    name = period_name(snapshot.period, zone=snapshot.zone)
    kind = in_language(_TITLES[snapshot.period.cadence], language)
    return f"{kind} {name} · {snapshot.tenant_name}"


def in_language(text: Words, language: str) -> str:
    """Return the text in `language`, or in any language it has."""
    return text.get(language) or next(iter(text.values()), "")


def cell_text(cell: Cell, language: str) -> str:
    """Write a cell for people; numbers with thousands apart."""
    match cell:
        case None:
            return NOT_MEASURED
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.3f}".rstrip("0").rstrip(".")
        case str():
            return cell
        case _:
            return in_language(cell, language)


# --- Markdown ---------------------------------------------------------------------


def markdown(snapshot: Snapshot, language: str) -> str:
    """Write the review as Markdown with tables."""
    lines = [f"# {_marked(title_of(snapshot, language))}", ""]
    lines += [f"- {name}: {_marked(text)}" for name, text in _head(snapshot, language)]
    for section in snapshot.sections:
        lines += ["", f"## {_marked(in_language(section.title, language))}"]
        lines += _markdown_section(section, language)
    return "\n".join(lines) + "\n"


def _markdown_section(section: Section, language: str) -> Iterator[str]:
    if section.figures:
        heads = [in_language(head, language) for head in _FIGURES]
        rows = [_figure_cells(figure, language) for figure in section.figures]
        yield ""
        yield from _markdown_table(heads, rows)
    for table in section.tables:
        yield ""
        yield f"### {_marked(in_language(table.title, language))}"
        yield ""
        if not table.rows:
            yield in_language(_EMPTY_TABLE, language)
            continue
        heads = [in_language(column, language) for column in table.columns]
        cells = [[cell_text(cell, language) for cell in row] for row in table.rows]
        yield from _markdown_table(heads, cells)
    yield from ("", f"### {in_language(_FINDINGS, language)}", "")
    for finding in section.findings:
        yield f"- {_marked(in_language(finding.text, language))}"
    if not section.findings:
        yield in_language(_NO_FINDING, language)


def _markdown_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[str]:
    yield _markdown_row(heads)
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield _markdown_row(row)


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_marked(cell) for cell in cells) + " |"


def _marked(text: str) -> str:
    """Escape what Markdown or the HTML in it would read as something else."""
    return _MARKED.sub(r"\\\1", _BREAKS.sub(" ", text))


# --- HTML -------------------------------------------------------------------------


def html(snapshot: Snapshot, language: str) -> str:
    """Write the review as one HTML file that needs nothing beside it."""
    title = escape(title_of(snapshot, language))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{html_body(snapshot, language)}</body>\n</html>\n"
    )


def html_body(snapshot: Snapshot, language: str, *, level: int = 2) -> str:
    """Write the review as HTML without a frame; every text in it is escaped.

    Args:
        level: Of the headings of sections, ``2 <= level <= 5``.
    """
    parts = ['<dl class="review-head">\n']
    for name, text in _head(snapshot, language):
        parts.append(
            f'<dt>{escape(name)}</dt><dd class="review-digest">{escape(text)}</dd>\n'
        )
    parts.append("</dl>\n")
    for section in snapshot.sections:
        parts += _html_section(section, language, level)
    return "".join(parts)


def _html_section(section: Section, language: str, level: int) -> Iterator[str]:
    title = escape(in_language(section.title, language))
    yield f'<section class="review-section">\n<h{level}>{title}</h{level}>\n'
    if section.figures:
        heads = [in_language(head, language) for head in _FIGURES]
        rows = [_figure_cells(figure, language) for figure in section.figures]
        numbers = (False, True, True, False)
        yield _html_table(title, heads, rows, lambda _row, column: numbers[column])
    for table in section.tables:
        yield _html_review_table(table, language)
    yield f"<h{level + 1}>{escape(in_language(_FINDINGS, language))}</h{level + 1}>\n"
    yield _html_findings(section.findings, language)
    yield "</section>\n"


def _html_review_table(table: ReviewTable, language: str) -> str:
    title = escape(in_language(table.title, language))
    if not table.rows:
        return f"<p>{title}: {escape(in_language(_EMPTY_TABLE, language))}</p>\n"
    heads = [in_language(column, language) for column in table.columns]
    cells = [[cell_text(cell, language) for cell in row] for row in table.rows]
    return _html_table(
        title, heads, cells, lambda row, column: _is_number(table.rows[row][column])
    )


def _html_table(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    is_number: Callable[[int, int], bool],
) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    parts = [f"<table>\n<caption>{title}</caption>\n<thead><tr>{head}</tr></thead>\n"]
    parts.append("<tbody>\n")
    for number, row in enumerate(rows):
        parts.append("<tr>")
        for column, text in enumerate(row):
            marked = ' class="review-number"' if is_number(number, column) else ""
            tag = ("th", ' scope="row"') if column == 0 else ("td", "")
            parts.append(f"<{tag[0]}{tag[1]}{marked}>{escape(text)}</{tag[0]}>")
        parts.append("</tr>\n")
    parts.append("</tbody>\n</table>\n")
    return "".join(parts)


def _html_findings(findings: Sequence[Finding], language: str) -> str:
    if not findings:
        return f"<p>{escape(in_language(_NO_FINDING, language))}</p>\n"
    items = "".join(
        f"<li>{escape(in_language(finding.text, language))}</li>\n"
        for finding in findings
    )
    return f"<ul>\n{items}</ul>\n"


# --- Both -------------------------------------------------------------------------


def _head(snapshot: Snapshot, language: str) -> Iterator[tuple[str, str]]:
    zone = ZoneInfo(snapshot.zone)
    starts, ends, taken = (
        moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        for moment in (
            snapshot.period.starts,
            snapshot.period.ends,
            snapshot.taken_at,
        )
    )
    yield in_language(_PERIOD, language), f"{starts} ≤ t < {ends} ({snapshot.zone})"
    yield in_language(_TAKEN, language), taken
    yield in_language(_DIGEST, language), digest_of(as_text(snapshot))


def _figure_cells(figure: Figure, language: str) -> tuple[str, str, str, str]:
    value = cell_text(figure.value, language)
    before = cell_text(figure.before, language)
    if figure.unit:
        value = f"{value} {figure.unit}" if figure.value is not None else value
        before = f"{before} {figure.unit}" if figure.before is not None else before
    return in_language(figure.label, language), value, before, figure.source


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float)
