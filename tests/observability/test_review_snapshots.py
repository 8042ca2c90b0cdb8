"""A snapshot is one text: the same bytes on every way through the store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.review_documents import LANGUAGES, html, html_body, markdown
from observability.review_snapshots import (
    Snapshot,
    UnreadableSnapshot,
    as_text,
    digest_of,
    from_text,
    with_before,
)
from observability.review_values import (
    Cadence,
    Cell,
    Figure,
    Finding,
    Period,
    ReviewTable,
    Section,
    words,
)

PERIOD = Period(
    Cadence.MONTHLY,
    datetime(2026, 9, 30, 15, tzinfo=UTC),
    datetime(2026, 10, 31, 15, tzinfo=UTC),
)
TEXTS = st.text(max_size=20)
WORDS = st.builds(words, TEXTS, TEXTS)
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    WORDS,
)
FIGURES = st.builds(
    Figure, key=TEXTS, label=WORDS, value=CELLS, unit=TEXTS, before=CELLS, source=TEXTS
)
TABLES = st.builds(
    ReviewTable,
    key=TEXTS,
    title=WORDS,
    columns=st.tuples(WORDS, WORDS),
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=3).map(tuple),
)
FINDINGS = st.builds(Finding, key=TEXTS, text=WORDS)
SECTIONS = st.builds(
    Section,
    key=TEXTS,
    title=WORDS,
    figures=st.lists(FIGURES, max_size=3).map(tuple),
    tables=st.lists(TABLES, max_size=2).map(tuple),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
    subjects=st.lists(st.integers(1, 99), max_size=3).map(tuple),
)


def snapshot(*sections: Section) -> Snapshot:
    return Snapshot(
        tenant_key="acme",
        tenant_name="Acme",
        period=PERIOD,
        zone="Asia/Seoul",
        taken_at=datetime(2026, 11, 1, 0, 0, 3, tzinfo=UTC),
        sections=sections,
    )


def section(**fields: object) -> Section:
    return replace(Section("one", words("하나", "One")), **fields)  # type: ignore[arg-type]


@given(st.lists(SECTIONS, max_size=3))
def test_text_and_value_lead_to_each_other(sections: list[Section]) -> None:
    text = as_text(snapshot(*sections))

    again = from_text(text)
    assert as_text(again) == text
    # What any JSON store may do to it in between: parse, and write in another order.
    mixed = json.dumps(dict(reversed(json.loads(text).items())), indent=2)
    assert as_text(from_text(mixed)) == text


@given(st.lists(SECTIONS, max_size=2))
def test_documents_come_from_the_snapshot_alone(sections: list[Section]) -> None:
    text = as_text(snapshot(*sections))
    for language in LANGUAGES:
        for write in (markdown, html):
            first = write(from_text(text), language)
            assert first.encode("utf-8", "surrogatepass") == write(
                from_text(text), language
            ).encode("utf-8", "surrogatepass")


def test_numbers_do_not_drift() -> None:
    figure = Figure("share", words("몫", "Share"), 0.1 + 0.2, before=-0.0)

    text = as_text(snapshot(section(figures=(figure,))))

    assert '"value":0.3' in text
    assert '"before":0.0' in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_a_bug(value: float) -> None:
    figure = Figure("share", words("몫", "Share"), value)

    with pytest.raises(ValueError, match="finite"):
        as_text(snapshot(section(figures=(figure,))))


def test_a_row_that_does_not_fit_its_table_is_a_bug() -> None:
    table = ReviewTable("t", words("표", "Table"), (words("가", "A"),), ((1, 2),))

    with pytest.raises(ValueError, match="1 columns"):
        as_text(snapshot(section(tables=(table,))))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format":2}', "null"])
def test_another_text_is_no_snapshot(text: str) -> None:
    with pytest.raises(UnreadableSnapshot):
        from_text(text)


@given(st.data())
def test_one_changed_letter_changes_the_digest(data: st.DataObject) -> None:
    text = as_text(snapshot(section(figures=(Figure("n", words("수", "N"), 12),))))
    place = data.draw(st.integers(0, len(text) - 1))
    other = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]

    assert digest_of(other) != digest_of(text)


def test_a_figure_takes_what_the_last_review_said_unless_it_knows_better() -> None:
    known = Figure("known", words("가", "A"), 5, before=4)
    asked = Figure("asked", words("나", "B"), 5)
    new = Figure("new", words("다", "C"), 5)
    earlier = snapshot(
        section(figures=(replace(known, value=1), replace(asked, value=2)))
    )

    filled = with_before(section(figures=(known, asked, new)), earlier)

    assert [figure.before for figure in filled.figures] == [4, 2, None]
    assert with_before(section(figures=(asked,)), None).figures == (asked,)


HOSTILE = "<script>alert(1)</script>|`a`\n# h [x](http://y)"


def test_texts_from_outside_stay_texts() -> None:
    told = words(HOSTILE, HOSTILE)
    table = ReviewTable(HOSTILE, told, (told,), ((HOSTILE,), (told,)))
    made = Section(
        HOSTILE,
        told,
        (Figure(HOSTILE, told, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        (table,),
        (Finding(HOSTILE, told),),
    )
    hostile = replace(snapshot(made), tenant_name=HOSTILE)

    for language in LANGUAGES:
        page = html(hostile, language)
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        document = markdown(hostile, language)
        assert "<script" not in document.replace("\\<", "")
        assert not any(line.startswith("# h") for line in document.splitlines())
        assert "[x](" not in document


def test_documents_speak_both_languages() -> None:
    figure = Figure("n", words("요청 수", "Requests"), 1234567, "ms", None, "SELECT 1")
    table = ReviewTable(
        "t", words("표", "Table"), (words("가", "A"),), ((words("예", "yes"),), (2.5,))
    )
    made = snapshot(
        section(
            figures=(figure,),
            tables=(table,),
            findings=(Finding("f", words("고치기", "Mend it")),),
        )
    )

    for write in (markdown, html):
        korean, english = write(made, "ko"), write(made, "en")
        for text in ("월간 점검 2026-10", "요청 수", "1,234,567 ms", "예", "고치기"):
            assert text in korean
        for text in ("Monthly review 2026-10", "Requests", "2.5", "yes", "Mend it"):
            assert text in english
        assert "Requests" not in korean
        assert "요청" not in english
        assert digest_of(as_text(made)) in english


def test_the_html_file_needs_nothing_beside_it_and_can_be_printed() -> None:
    page = html(snapshot(section()), "ko")

    assert "@media print" in page
    assert '<html lang="ko">' in page
    assert "<link" not in page
    assert "<script" not in page
    assert "src=" not in page
    assert "style" not in html_body(snapshot(section()), "ko")
