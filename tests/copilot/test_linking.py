"""Names in sentences: particles, blanks, quotes, one wrong letter, two candidates."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.golden_set import subjects
from copilot.grammar import Understood, understand
from copilot.linking import (
    compact,
    jamo,
    link,
    link_near,
    names_of,
    normalised,
    similarity,
)
from copilot.proposals import Question, Refusal

SHOP = subjects()["shop"]
NAMES = names_of(SHOP)
EVERY = list(subjects().values())


def blocks_in(text: str) -> list[str]:
    return [
        referent.id
        for span in link(text, NAMES).spans
        for referent in span.of_role("block")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "최근 주문을 지워줘", "최근주문 지워줘", "최근  주문은요", "최근 주문에서 빼",
        "delete Recent orders", "delete recent-orders", "RECENT ORDERS out",
    ],
)  # fmt: skip
def test_particles_blanks_and_case_do_not_matter(text: str) -> None:
    assert blocks_in(normalised(text)) == ["orders"]


def test_a_name_inside_another_word_is_no_name() -> None:
    assert blocks_in("반품왕 지워줘") == []
    assert blocks_in("returnsable things") == []


def test_decomposed_letters_and_curly_quotes_are_read() -> None:
    written = unicodedata.normalize("NFD", "최근 주문 제목을 “주문 내역”으로 바꿔줘")

    found = understand(written, SHOP)

    assert isinstance(found, Understood)
    assert (found.edits[0].block, found.edits[0].value) == ("orders", "주문 내역")


def test_one_wrong_vowel_is_near_and_another_title_is_not() -> None:
    assert similarity(jamo("매츨 추이"), jamo("매출 추이")) > 0.85
    assert similarity(jamo("매출 추이"), jamo("지역별 비중")) < 0.6


def test_what_is_near_two_names_stays_two_candidates() -> None:
    body = {
        **SHOP.body,
        "blocks": [
            {**SHOP.blocks[0], "id": "one", "title": "Team results A"},
            {**SHOP.blocks[0], "id": "two", "title": "Team results B"},
        ],
    }
    two = SHOP.with_body(body)

    near = link_near(link("Team resluts", {}), two, "block", [False] * 40)

    assert near is not None
    assert {each.id for each in near.referents} == {"one", "two"}
    assert isinstance(understand("remove team resluts", two), Question)


def test_two_blocks_of_one_title_are_asked_about() -> None:
    body = {
        **SHOP.body,
        "blocks": [
            SHOP.blocks[0], {**SHOP.blocks[1], "title": SHOP.blocks[0]["title"]},
        ],
    }  # fmt: skip

    found = understand("이달 매출 지워줘", SHOP.with_body(body))

    assert isinstance(found, Question)
    assert len(found.choices) == 2


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80), st.sampled_from(EVERY))
def test_any_text_gets_an_answer(text: str, subject: object) -> None:
    found = understand(text, subject)  # type: ignore[arg-type]

    assert isinstance(found, Understood | Question | Refusal)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="ab 가나-_\u3000", max_size=20))
def test_compact_keeps_the_places(text: str) -> None:
    short, places = compact(text)

    assert len(short) == len(places)
    assert [text[place].lower() for place in places] == list(short)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("refresh returns every minute", "cannot-refresh"),
        ("매출 추이 자동 갱신", "cannot-refresh"),
        ("only show rows where status is open in recent orders", "cannot-filter"),
        ("게시해줘", "cannot-publish"),
        ("remove the payroll table", "unknown-block"),
        ("how are you", "not-an-edit"),
        ("", "empty"),
        ("x" * 501, "too-long"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_by_name(text: str, rule: str) -> None:
    found = understand(text, SHOP)

    assert isinstance(found, Refusal)
    assert found.rule == rule


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("반품은 스무 줄만", 20),
        ("반품은 다섯 줄만", 5),
        ("only ten rows in returns", 10),
    ],
)
def test_counts_as_words_are_read(text: str, count: int) -> None:
    found = understand(text, SHOP)

    assert isinstance(found, Understood)
    assert found.edits[0].value == count


def test_a_count_inside_another_is_not_read() -> None:
    """Fifteen ends in five: a part of a number is no number."""
    assert not isinstance(understand("반품은 열다섯 줄만", SHOP), Understood)


def test_half_understood_is_offered_and_not_done() -> None:
    found = understand("remove returns tomorrow", SHOP)

    assert isinstance(found, Question)
    assert found.rule == "half-understood"
    assert "tomorrow" in found.words["left"]
    assert found.choices[0].edits[0].block == "returns"
