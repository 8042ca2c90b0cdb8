"""Every substring of two or more characters is found in 100,000 log lines."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

from django.db import connection

from observability.log_index import add_pairs
from observability.log_query import Text, fold, parse, quoted
from observability.log_search import matching
from observability.log_store import clean, searched, write
from observability.logs import Caught
from observability.models import LogLine
from tests.observability.test_log_search import EVERYTHING, NOW, PLAIN

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
