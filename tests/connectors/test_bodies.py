"""From bytes to a table or a text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bodies import read_body
from connectors.failures import CallFailed
from connectors.mapping import Mapped
from connectors.notes import note
from connectors.outcomes import Column, ColumnType, Cut, Limit, Reason, Table
from connectors.specs import BodyFormat, OperationSpec, SourceKind, SourceSpec

SPEC = OperationSpec(
    key="x", source=SourceSpec("up", SourceKind.HTTP, 1, "acme"), row_limit=3
)
JSON, CSV = "application/json", "text/csv"


def table(
    body: str | bytes,
    spec: OperationSpec = SPEC,
    *,
    kind: str = JSON,
    charset: str = "",
) -> Table:
    data = body.encode() if isinstance(body, str) else body
    found, _ = read_body(data, spec, content_type=kind, charset=charset)
    assert isinstance(found, Table)
    return found


def text(body: str | bytes, *, kind: str = "text/plain", charset: str = "") -> str:
    data = body.encode() if isinstance(body, str) else body
    found, _ = read_body(data, SPEC, content_type=kind, charset=charset)
    assert isinstance(found, str)
    return found


def rule(
    body: str | bytes,
    spec: OperationSpec = SPEC,
    *,
    kind: str = JSON,
    charset: str = "",
) -> str:
    data = body.encode() if isinstance(body, str) else body
    with pytest.raises(CallFailed) as caught:
        read_body(data, spec, content_type=kind, charset=charset)
    assert caught.value.reason is Reason.UNREADABLE
    return caught.value.rule


def test_a_list_of_objects_is_a_table() -> None:
    found = table('[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]')

    assert found.rows == ((1, "x"), (2, "y"))
    assert found.columns[0] == Column("a", ColumnType.INTEGER)


def test_a_list_of_lists_is_a_table() -> None:
    declared = replace(SPEC, columns=(Column("site"), Column("n", ColumnType.INTEGER)))

    assert [one.name for one in table('[["x", 1]]').columns] == ["column_1", "column_2"]
    assert table('[["x", 1]]', declared).rows == (("x", 1),)


def test_an_object_is_one_row_and_a_scalar_is_text() -> None:
    found, _ = read_body(b"42", SPEC, content_type=JSON, charset="")

    assert table('{"a": 1}').rows == ((1,),)
    assert found == "42"


def test_null_and_an_empty_list_have_no_rows() -> None:
    assert table("null").rows == ()
    assert table("[]").rows == ()
    assert table("", replace(SPEC, body_format=BodyFormat.JSON)).rows == ()
    assert text("", kind=JSON) == ""
    assert table("", replace(SPEC, columns=(Column("a"),)), kind=JSON).rows == ()


def test_a_rows_path_picks_the_rows() -> None:
    spec = replace(SPEC, rows_path="data.items[?n > `1`]")

    found = table('{"data": {"items": [{"n": 1}, {"n": 2}]}}', spec)

    assert found.rows == ((2,),)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("data.rows", "rows-path-nothing"), ("length(n)", "rows-path")],
)
def test_a_rows_path_that_does_not_fit_is_told(path: str, expected: str) -> None:
    assert rule('{"n": 1}', replace(SPEC, rows_path=path)) == expected


def test_rows_above_the_limit_are_cut() -> None:
    many = json.dumps([{"n": n} for n in range(9)])

    assert table(many).cuts == (Cut(Limit.ROWS, at=3, total=9),)
    assert table("n\n" + "1\n" * 9, kind=CSV).cuts == (Cut(Limit.ROWS, at=3),)


def test_malformed_json_is_told_with_its_place() -> None:
    with pytest.raises(CallFailed) as caught:
        read_body(b'{"a":\n  oops}', SPEC, content_type=JSON, charset="")

    assert caught.value.values == {"source": "up", "line": 2, "column": 3}


@pytest.mark.parametrize("body", ["[" * 200_000, "1" * 5_000])
def test_json_that_would_break_the_parser_is_told(body: str) -> None:
    assert rule(body) in {"json-too-deep", "json"}


def test_csv_follows_rfc_4180() -> None:
    body = 'a,b\r\n"x, ""y""",2\r\n"line\nbreak",\r\n\r\n'

    found = table(body, kind=CSV)

    assert found.rows == (('x, "y"', 2), ("line\nbreak", None))


def test_tsv_is_split_at_tabs() -> None:
    found = table("a\tb\n1\tx,y\n", kind="text/tab-separated-values")

    assert found.rows == ((1, "x,y"),)


def test_a_heading_alone_is_an_empty_table() -> None:
    assert [one.name for one in table("a,b\n", kind=CSV).columns] == ["a", "b"]
    assert table("", replace(SPEC, body_format=BodyFormat.CSV)).columns == ()


def test_broken_csv_is_told() -> None:
    assert rule('a\n"x"y\n', kind=CSV) == "csv"
    assert rule("a\n" + "x" * 200_000, kind=CSV) == "csv"


@pytest.mark.parametrize(
    "body",
    ["a\n한\n".encode("utf-8-sig"), "a\n한\n".encode("utf-16"), "a\n한\n".encode()],
)
def test_a_byte_order_mark_names_the_charset(body: bytes) -> None:
    found = table(body, kind=CSV)

    assert [one.name for one in found.columns] == ["a"]
    assert found.rows == (("한",),)


def test_the_charset_of_the_header_counts() -> None:
    assert text("é".encode("latin-1"), charset="latin-1") == "é"
    assert rule(b"\xff", kind=CSV, charset="utf-8") == "charset"
    assert rule(b"x", kind=CSV, charset="klingon") == "charset-unknown"
    assert rule(b"78", kind=CSV, charset="hex") == "charset-unknown"


def test_a_korean_file_without_a_charset_is_read_and_told() -> None:
    found, notes = read_body(
        "이름\n한\n".encode("cp949"), SPEC, content_type=CSV, charset=""
    )

    assert isinstance(found, Table)
    assert found.rows == (("한",),)
    assert notes == (note("charset-guessed", charset="cp949"),)


def test_json_that_is_not_utf_8_is_told() -> None:
    assert rule(b'"\xff"') == "charset"
    assert rule(b"\xff\xff", kind=CSV) == "charset"


@pytest.mark.parametrize(
    ("kind", "guess"), [("", '[{"a": 1}]'), ("text/plain", '{"a": 1}')]
)
def test_plain_text_that_is_json_is_read_so_and_told(kind: str, guess: str) -> None:
    found, notes = read_body(guess.encode(), SPEC, content_type=kind, charset="")

    assert isinstance(found, Table)
    assert notes == (note("read-as", format="json"),)


def test_plain_text_stays_text() -> None:
    assert text("hello") == "hello"
    assert text("[INFO] started") == "[INFO] started"
    assert text("<a/>", kind="application/xml") == "<a/>"
    assert text("<a/>", kind="text/html") == "<a/>"
    assert text("<a/>", kind="image/svg+xml") == "<a/>"


def test_problem_json_is_json() -> None:
    assert table('{"a": 1}', kind="application/problem+json").rows == ((1,),)


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
def test_an_unknown_type_is_refused_by_name(kind: str) -> None:
    with pytest.raises(CallFailed) as caught:
        read_body(b"\x89PNG", SPEC, content_type=kind, charset="")

    assert caught.value.values["found"] == kind


def test_a_declared_format_wins_over_the_type() -> None:
    spec = replace(SPEC, body_format=BodyFormat.CSV)

    assert table("a\n1\n", spec, kind="application/octet-stream").rows == ((1,),)


@given(st.binary(max_size=200), st.sampled_from([JSON, CSV, "", "text/plain"]))
def test_any_bytes_are_read_or_refused(body: bytes, kind: str) -> None:
    try:
        found, notes = read_body(body, SPEC, content_type=kind, charset="")
    except CallFailed:
        return
    assert isinstance(found, (Table, str))
    assert all(isinstance(one, str) for one in notes)
    assert Mapped(Table((), ())).notes == ()
