"""Every substring is found on both engines, and every query means what it says."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observability.log_index import add_pairs
from observability.log_query import (
    Either,
    Every,
    Field,
    Level,
    Moment,
    Node,
    Not,
    QueryFault,
    Text,
    fold,
    parse,
    quoted,
)
from observability.log_search import (
    Place,
    Reach,
    histogram,
    matching,
    search,
)
from observability.log_store import clean, searched, write
from observability.logs import Caught
from observability.models import LogLine
from tenants.models import Tenant

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = Reach(everything=True)
PLAIN = Caught(
    created=NOW.timestamp() - 60,
    level=20,
    logger="signalbox.test",
    message="hello",
    exception="",
    status="",
    trace_id="",
    tenant_id=None,
    user="",
    labels={},
    data={},
)


def stored(*lines: dict[str, Any]) -> None:
    write([PLAIN._replace(**line) for line in lines])


def found(text: str, reach: Reach = EVERYTHING) -> list[str]:
    node = parse(text)
    assert not isinstance(node, QueryFault), node
    return sorted(line.message for line in search(node, reach=reach, now=NOW))


# --- 100,000 lines ------------------------------------------------------------------

WORDS = """
    결제 결제실패 주문 재고 창고 서울 부산 배송지연 로그인 사용자 오류 시간초과 연결
    거부되었습니다 데이터원본 화면 메뉴 연산 connection refused timeout circuit open
    Stock ORDER 50% a_b C:\\temp foo.bar GET /api/v1 [warn] {x} 'q' é Straße ΑΣ İx
"""
LINES = 100_000
SAMPLES = 160
WRITTEN = 10_000


def generated(count: int) -> list[Caught]:
    dice = random.Random(20260301)
    words = WORDS.split()
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4)]
    return [
        PLAIN._replace(
            created=NOW.timestamp() - number * 7,
            level=dice.choice((10, 20, 20, 20, 30, 40)),
            message=" ".join(
                [
                    *dice.choices(words, k=5),
                    "".join(dice.choices(syllables, k=4)),
                    f"{dice.randrange(16**6):06x}",
                ]
            ),
        )
        for number in range(count)
    ]


def insert(lines: list[Caught]) -> None:
    """Store what `write` would, without the ORM, which takes half a minute for it."""
    same = ("signalbox.test", "", "", "", "", "{}", "{}", "")
    last = LogLine.objects.latest("pk").pk
    rows = [
        (
            datetime.fromtimestamp(line.created, tz=UTC),
            line.level,
            clean(line.message),
            searched(clean(line.message), "", {}),
            *same,
        )
        for line in lines
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO observability_logline (at, level, message, folded, logger, "
            'exception, status, trace_id, "user", labels, data, worker) '
            f"VALUES ({', '.join(['%s'] * 12)})",
            rows,
        )
        new = LogLine.objects.filter(pk__gt=last).values_list("pk", "folded")
        add_pairs(connection, list(new))
        cursor.execute("ANALYZE observability_logline")


def test_every_substring_of_two_or_more_characters_is_found_in_100_000_lines(
    db: None,
) -> None:
    lines = generated(LINES)
    write(lines[:WRITTEN])
    insert(lines[WRITTEN:])
    folded = list(LogLine.objects.order_by("pk").values_list("pk", "folded"))
    dice = random.Random(7)

    missed = []
    korean = short = 0
    for number in range(SAMPLES):
        message = lines[dice.randrange(LINES)].message
        length = 2 if number % 2 else dice.randint(2, 12)
        start = dice.randrange(len(message) - length)
        part = message[start : start + length]
        korean += bool(re.search("[가-힣]{2}", part))
        short += length == 2
        needle = fold(part)
        expected = {pk for pk, text in folded if needle in text}
        node = parse(quoted(part))
        assert isinstance(node, Text)
        rows = matching(node, reach=EVERYTHING, now=NOW)
        if set(rows.values_list("pk", flat=True)) != expected or not expected:
            missed.append(part)

    assert missed == []
    assert len(folded) == LINES
    assert korean >= 20
    assert short >= 80


# --- Meaning ------------------------------------------------------------------------


@pytest.fixture
def lines(db: None, acme: Tenant, globex: Tenant) -> None:
    ours, theirs = acme.pk, globex.pk
    stored(
        {"message": "a", "level": 10, "logger": "connectors.http", "user": "0a1b2c3d"},
        {"message": "b", "level": 30, "logger": "connectors", "status": "503"},
        {"message": "c", "level": 40, "logger": "Connectors.http", "status": "timeout"},
        {"message": "d", "tenant_id": ours, "labels": {"menu": "stock", "task": "t"}},
        {"message": "e", "tenant_id": theirs, "labels": {"menu": "stocks"}},
        {"message": "f", "trace_id": "ab" * 16, "created": NOW.timestamp() - 7_200},
        {"message": "g", "exception": "Traceback … ValueError: 잔액 부족"},
        {"message": "h", "data": {"order": "주문-17", "rows": 3, "nested": {"k": "v"}}},
        {"message": "i", "logger": "100%_[x]*", "created": NOW.timestamp() - 90_000},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("", "abcdefghi"),
        ("level>=warning", "bc"),
        ("level:debug", "a"),
        ("-level<error", "c"),
        ("logger:connectors", "b"),
        ("logger:connectors.*", "a"),
        ("logger:?onnectors*", "abc"),
        ('logger:"100%_[x]*"', "i"),
        ("logger:100?_[x]*", "i"),
        ("-logger:*onnectors*", "defghi"),
        ("status:5??", "b"),
        ("status:5?? or status:timeout", "bc"),
        ("tenant:acme", "d"),
        ("tenant:*", "de"),
        ("tenant:", "abcfghi"),
        ("-tenant:acme", "abcefghi"),
        ("menu:stock", "d"),
        ("menu:stock*", "de"),
        ("-menu:stock", "abcefghi"),
        ("-menu:", "de"),
        ("task:t menu:stock", "d"),
        ("trace:abab", "f"),
        ("trace:" + "ab" * 16, "f"),
        ("trace:abc", ""),
        ("user:0a1b2c3d", "a"),
        ("since:1h", "abcdegh"),
        ("until:1h", "fi"),
        ("since:1d until:1h", "f"),
        ("until:2026-02-28T12:00+00:00", "i"),
        ("부족", "g"),
        ("valueerror", "g"),
        ("주문-17", "h"),
        ("rows=3", "h"),
        ('"k\\": \\"v"', "h"),
        ("-부족 -주문", "abcdefi"),
        ("(부족 or 주문) since:1h", "gh"),
        ("족", "g"),
        ("-족", "abcdefhi"),
        ('"%"', ""),
        ("no such text", ""),
    ],
)
def test_what_a_query_finds(lines: None, query: str, messages: str) -> None:
    assert "".join(found(query)) == messages


def test_lines_of_a_tenant_are_seen_in_that_tenant_only(
    lines: None, acme: Tenant, globex: Tenant
) -> None:
    assert found("", Reach(acme.pk)) == ["d"]
    assert found("", Reach(globex.pk)) == ["e"]
    assert found("", Reach(acme.pk, portal=True)) == list("abcdfghi")
    assert found("tenant:globex", Reach(acme.pk, portal=True)) == []
    assert found("-tenant:acme or level>=debug", Reach(acme.pk)) == ["d"]
    assert found("", Reach()) == []


def test_a_moment_without_a_zone_is_in_the_readers(db: None) -> None:
    from django.utils import timezone

    stored({"message": "nine in Seoul", "created": NOW.timestamp()})

    with timezone.override("Asia/Seoul"):
        assert found("since:2026-03-01T21:00") == ["nine in Seoul"]
        assert found("since:2026-03-01T21:01") == []


class Known(NamedTuple):
    at: datetime
    level: int
    logger: str
    folded: str


def means(node: Node, line: Known) -> bool:
    """Say in Python alone whether a line meets a query."""
    match node:
        case Text(needle):
            return needle in line.folded
        case Level(operator, number):
            compare: dict[str, Callable[[int, int], bool]] = {
                "=": int.__eq__, ">=": int.__ge__, ">": int.__gt__,
                "<=": int.__le__, "<": int.__lt__,
            }  # fmt: skip
            return compare[operator](line.level, number)
        case Field(_, value):
            pattern = re.escape(value).replace(r"\*", ".*").replace(r"\?", ".")
            return re.fullmatch(pattern, line.logger, re.DOTALL) is not None
        case Moment(name, _, ago):
            assert ago is not None
            return (line.at >= NOW - ago) == (name == "since")
        case Not(part):
            return not means(part, line)
        case Every(parts):
            return all(means(part, line) for part in parts)
        case Either(parts):
            return any(means(part, line) for part in parts)


needles = st.sampled_from(
    ["a", "ab", "결", "결제", "제실", "결제실패", "%", "a_b", "50%"]
)
leaves = st.one_of(
    needles.map(Text),
    st.builds(
        Level,
        st.sampled_from(["=", ">=", ">", "<=", "<"]),
        st.sampled_from([10, 20, 30, 40]),
    ),
    st.builds(
        Field,
        st.just("logger"),
        st.sampled_from(["a.b", "a.*", "*b", "?.b", "", "[a]", "a_b", "A.b"]),
    ),
    st.builds(
        lambda name, hours: Moment(name, ago=timedelta(hours=hours)),
        st.sampled_from(["since", "until"]),
        st.integers(0, 5),
    ),
)
trees: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda it: Every(tuple(it))),
        st.lists(inner, min_size=2, max_size=3).map(lambda it: Either(tuple(it))),
    ),
    max_leaves=6,
)


@pytest.fixture
def known(db: None) -> dict[int, Known]:
    dice = random.Random(5)
    texts = ["ab", "a_b 결제", "결제실패", "axb 50%", "50 % 제실", "AB", "-"]
    loggers = ["a.b", "a.bb", "xb", "[a]", "a", "a_b", "aXb", "A.b"]
    stored(
        *(
            {
                "message": dice.choice(texts),
                "logger": dice.choice(loggers),
                "level": dice.choice([10, 20, 30, 40]),
                "created": NOW.timestamp() - dice.randrange(6 * 3_600),
            }
            for _ in range(60)
        )
    )
    return {
        row.pk: Known(row.at, row.level, row.logger, row.folded)
        for row in LogLine.objects.all()
    }


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(node=trees)
def test_any_query_finds_what_python_finds(known: dict[int, Known], node: Node) -> None:
    rows = search(node, reach=EVERYTHING, now=NOW, limit=1_000)

    expected = {pk for pk, line in known.items() if means(node, line)}
    assert {row.pk for row in rows} == expected
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)


# --- Pages and counts ---------------------------------------------------------------


def pages(text: str, size: int) -> Iterator[list[LogLine]]:
    node = parse(text)
    assert not isinstance(node, QueryFault)
    after = None
    while page := search(node, reach=EVERYTHING, after=after, limit=size, now=NOW):
        yield page
        after = Place(page[-1].at, page[-1].pk)


@pytest.mark.parametrize("text", ["", "x", "xy", "xyz"])
def test_pages_hold_every_line_once_while_new_ones_arrive(db: None, text: str) -> None:
    # Ages over every slice of time that a scan takes, and several at one moment.
    ages = [0, 0, 0, 50, 4_000, 4_000, 90_000, 300_000, 2_000_000, 9_000_000]
    stored(
        *(
            {"message": f"xyz {number}", "created": NOW.timestamp() - age}
            for number, age in enumerate(ages)
        )
    )

    seen: list[str] = []
    for page in pages(text, 3):
        seen += [line.message for line in page]
        stored({"message": "xyz new", "created": NOW.timestamp() + 1})

    assert sorted(seen) == [f"xyz {number}" for number in range(len(ages))]


@pytest.mark.parametrize(
    "text", ["", "x~1", "2026-03-01~1", "2026-03-01T00:00+00:00~x"]
)
def test_a_place_that_is_none_is_not_read(text: str) -> None:
    assert Place.read(text) is None


def test_a_place_can_be_written_and_read_again() -> None:
    place = Place(NOW, 17)

    assert Place.read(str(place)) == place


def test_counts_over_time_add_up_and_leave_no_stretch_out(db: None) -> None:
    stored(
        *(
            {"level": 40 if number % 3 == 0 else 20, "created": NOW.timestamp() - age}
            for number, age in enumerate([10, 30, 600, 601, 3_000, 3_590, 9_999])
        )
    )

    counts = histogram(
        Every(), reach=EVERYTHING, since=NOW - timedelta(hours=1), until=NOW, now=NOW
    )

    assert sum(each.lines for each in counts) == 6
    assert sum(each.loud for each in counts) == 2
    assert len(counts) <= 61
    assert all(a.until == b.since for a, b in pairwise(counts))
    assert counts[0].since <= NOW - timedelta(hours=1) < counts[0].until
