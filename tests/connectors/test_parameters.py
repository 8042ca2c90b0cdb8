from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.parameters import (
    LARGEST_INTEGER,
    MOST_ITEMS,
    Argument,
    ArgumentError,
    ParameterSpec,
    ParameterType,
    Raw,
    as_text,
    parse_arguments,
)

SEOUL = timezone(timedelta(hours=9))


def parsed(spec: ParameterSpec, value: Raw, *, time_zone: str = "UTC") -> Argument:
    result = parse_arguments([spec], {spec.name: value}, time_zone=time_zone)
    assert isinstance(result, dict), result
    return result[spec.name]


def refused(spec: ParameterSpec, value: object) -> ArgumentError:
    raw: Mapping[str, Raw] = {spec.name: value}  # type: ignore[dict-item]
    result = parse_arguments([spec], raw)
    assert isinstance(result, tuple), result
    return result[0]


def of(kind: ParameterType, **more: object) -> ParameterSpec:
    return ParameterSpec("p", kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", " as it is ", " as it is "),
        ("text", "부산", "부산"),
        ("integer", "42", 42),
        ("integer", " -7 ", -7),
        ("integer", "+7", 7),
        ("decimal", "1.50", Decimal("1.50")),
        ("decimal", ".5", Decimal("0.5")),
        ("decimal", "1e3", Decimal(1000)),
        ("boolean", "true", True),
        ("boolean", "ON", True),
        ("boolean", "1", True),
        ("boolean", "false", False),
        ("boolean", "off", False),
        ("boolean", "0", False),
        ("date", "2026-02-28", date(2026, 2, 28)),
        ("datetime", "2026-02-28T10:00", datetime(2026, 2, 28, 10, tzinfo=UTC)),
        ("datetime", "2026-02-28T10:00:00Z", datetime(2026, 2, 28, 10, tzinfo=UTC)),
        ("datetime", "2026-02-28 10:00+09:00", datetime(2026, 2, 28, 1, tzinfo=UTC)),
        ("list", "a, b ,,c", ("a", "b", "c")),
    ],
)
def test_text_becomes_a_value_of_the_type(kind: str, text: str, value: object) -> None:
    assert parsed(of(ParameterType(kind)), text) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "kept"),
        ("integer", 3),
        ("decimal", Decimal("1.5")),
        ("boolean", False),
        ("date", date(2026, 1, 1)),
        ("datetime", datetime(2026, 1, 1, tzinfo=SEOUL)),
        ("list", ("a", "b")),
    ],
)
def test_a_value_of_the_right_type_is_taken_as_it_is(kind: str, value: Raw) -> None:
    assert parsed(of(ParameterType(kind)), value) == value


def test_whole_and_binary_numbers_are_decimals_too() -> None:
    assert parsed(of(ParameterType.DECIMAL), 3) == Decimal(3)
    assert parsed(of(ParameterType.DECIMAL), 0.1) == Decimal("0.1")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 3),
        ("text", "a\x00b"),
        ("text", "\ud800"),
        ("integer", "1.5"),
        ("integer", "٣"),
        ("integer", "1_000"),
        ("integer", True),
        ("integer", 1.0),
        ("decimal", "NaN"),
        ("decimal", "Infinity"),
        ("decimal", Decimal("NaN")),
        ("decimal", float("inf")),
        ("decimal", "1e999"),
        ("decimal", "1,5"),
        ("decimal", True),
        ("decimal", 10**400),
        ("boolean", "yes"),
        ("boolean", 1),
        ("date", "2026-02-30"),
        ("date", "20260228"),
        ("date", "28.02.2026"),
        ("date", datetime(2026, 1, 1, tzinfo=UTC)),
        ("datetime", "yesterday"),
        ("datetime", date(2026, 1, 1)),
        ("datetime", "0001-01-01T00:00+14:00"),
        ("list", 3),
        ("list", (1, 2)),
        ("list", "a,\x00"),
        ("integer", ["1", "2"]),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, value: object) -> None:
    error = refused(of(ParameterType(kind)), value)

    assert (error.rule, error.expected) == ("type", kind)


def test_a_naive_time_is_read_in_the_given_zone() -> None:
    found = parsed(
        of(ParameterType.DATETIME), "2026-07-01T12:00", time_zone="Asia/Seoul"
    )

    assert isinstance(found, datetime)
    assert found.isoformat() == "2026-07-01T12:00:00+09:00"


@pytest.mark.parametrize("given", ["", None, [], [""], ()])
def test_nothing_given_means_the_default(given: Raw) -> None:
    assert parsed(of(ParameterType.INTEGER, default=5), given) == 5
    assert refused(of(ParameterType.INTEGER, required=True), given).rule == "missing"


def test_blanks_are_a_text_but_no_number() -> None:
    assert parsed(of(ParameterType.TEXT), "  ") == "  "
    assert parsed(of(ParameterType.INTEGER), "  ") is None
    assert parsed(of(ParameterType.LIST), " , ,") == ()
    assert parsed(of(ParameterType.LIST, default=("a",)), [" ", ","]) == ("a",)


def test_a_default_is_not_parsed_again_and_meets_required() -> None:
    spec = of(ParameterType.CHOICE, default="odd", choices=("a",), required=True)

    assert parse_arguments([spec], {}) == {"p": "odd"}


def test_one_text_in_a_list_is_that_text() -> None:
    assert parsed(of(ParameterType.INTEGER), ["7"]) == 7


@pytest.mark.parametrize(
    ("spec", "low", "high"),
    [
        (of(ParameterType.TEXT, minimum=2, maximum=3), "a", "abcd"),
        (of(ParameterType.INTEGER, minimum=2, maximum=3), "1", "4"),
        (
            of(ParameterType.DECIMAL, minimum=Decimal("0.5"), maximum=1),
            "0.49",
            "1.01",
        ),
        (
            of(
                ParameterType.DATE,
                minimum=date(2026, 1, 2),
                maximum=date(2026, 1, 3),
            ),
            "2026-01-01",
            "2026-01-04",
        ),
        (
            of(
                ParameterType.DATETIME,
                minimum=datetime(2026, 1, 2, tzinfo=UTC),
                maximum=date(2026, 1, 3),
            ),
            "2026-01-01T23:59:59.999999",
            "2026-01-04T00:00",
        ),
        (of(ParameterType.LIST, minimum=2, maximum=3), "a", "a,b,c,d"),
    ],
)
def test_bounds_are_kept_and_named(spec: ParameterSpec, low: str, high: str) -> None:
    too_low, too_high = refused(spec, low), refused(spec, high)

    assert (too_low.rule, too_low.expected) == ("minimum", as_text(spec.minimum))
    assert (too_high.rule, too_high.expected) == ("maximum", as_text(spec.maximum))


def test_the_bounds_themselves_are_allowed() -> None:
    assert parsed(of(ParameterType.INTEGER, minimum=2, maximum=2), "2") == 2


def test_a_bound_of_another_kind_does_not_apply() -> None:
    naive = datetime(2030, 1, 1)

    assert parsed(of(ParameterType.DATE, minimum=9), "2026-01-01") == date(2026, 1, 1)
    assert parsed(of(ParameterType.DATETIME, minimum=naive), "2026-01-01T00:00")


def test_an_integer_no_database_holds_is_refused() -> None:
    spec = of(ParameterType.INTEGER)

    assert parsed(spec, str(LARGEST_INTEGER)) == LARGEST_INTEGER
    assert refused(spec, str(LARGEST_INTEGER + 1)).rule == "maximum"
    assert refused(spec, str(-LARGEST_INTEGER - 1)).rule == "minimum"
    assert refused(spec, 10**5_000).rule == "maximum"


def test_choices_are_checked_in_lists_too() -> None:
    one = of(ParameterType.CHOICE, choices=("kr", "jp"))
    many = of(ParameterType.LIST, choices=("kr", "jp"))

    assert parsed(one, "kr") == "kr"
    assert refused(one, "us") == ArgumentError("p", "choice", "us", "kr, jp")
    assert parsed(many, "jp,kr") == ("jp", "kr")
    assert refused(many, "jp,us").rule == "choice"


def test_a_list_has_an_end() -> None:
    error = refused(of(ParameterType.LIST), ["x"] * (MOST_ITEMS + 1))

    assert (error.rule, error.expected) == ("maximum", str(MOST_ITEMS))


def test_every_error_is_told_at_once() -> None:
    specs = [
        ParameterSpec("site", required=True),
        ParameterSpec("days", ParameterType.INTEGER, maximum=31),
        ParameterSpec("from", ParameterType.DATE),
    ]

    errors = parse_arguments(specs, {"days": "99", "from": "x", "dayz": "1"})

    assert isinstance(errors, tuple)
    assert {(error.name, error.rule) for error in errors} == {
        ("dayz", "unknown"),
        ("site", "missing"),
        ("days", "maximum"),
        ("from", "type"),
    }


def test_an_unknown_name_is_answered_with_the_nearest_known_one() -> None:
    specs = [ParameterSpec("region"), ParameterSpec("site")]

    assert parse_arguments(specs, {"regoin": "kr"}) == (
        ArgumentError("regoin", "unknown", "kr", "region"),
    )
    assert parse_arguments(specs, {"zzz": "1"})[0].expected == ""  # type: ignore[index,union-attr]
    assert parse_arguments(specs, {"zzz": "1"}, allow_unknown=True) == {
        "region": None,
        "site": None,
    }


def test_what_was_found_is_cut_at_80_characters() -> None:
    assert len(refused(of(ParameterType.INTEGER), "x" * 500).found) == 80


_RAW = st.one_of(
    st.none(),
    st.text(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.binary(),
    st.lists(st.one_of(st.text(), st.integers(), st.none()), max_size=4),
    st.lists(st.text(), max_size=3).map(tuple),
)
_BOUNDS = st.one_of(st.none(), st.integers(), st.decimals(allow_nan=False), st.dates())


@given(
    st.sampled_from(ParameterType),
    _RAW,
    _BOUNDS,
    _BOUNDS,
    st.booleans(),
    st.text(max_size=10),
)
def test_parsing_never_raises(
    kind: ParameterType,
    value: object,
    low: int | Decimal | date | None,
    high: int | Decimal | date | None,
    required: bool,
    other: str,
) -> None:
    spec = ParameterSpec("p", kind, required, minimum=low, maximum=high, choices=("a",))

    result = parse_arguments([spec], {"p": value, other: value})  # type: ignore[dict-item]

    assert isinstance(result, dict | tuple)


_TEXTS = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1
)
_ITEMS = _TEXTS.map(lambda text: text.replace(",", "").strip()).filter(bool)
_VALUES = {
    ParameterType.TEXT: _TEXTS,
    ParameterType.INTEGER: st.integers(-LARGEST_INTEGER, LARGEST_INTEGER),
    ParameterType.DECIMAL: st.decimals(-(10**20), 10**20, places=6),
    ParameterType.BOOLEAN: st.booleans(),
    ParameterType.DATE: st.dates(),
    ParameterType.DATETIME: st.datetimes(
        datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(SEOUL)
    ),
    ParameterType.LIST: st.lists(_ITEMS, min_size=1, max_size=5).map(tuple),
}


@given(st.sampled_from(sorted(_VALUES)).flatmap(
    lambda kind: st.tuples(st.just(kind), _VALUES[kind])
))  # fmt: skip
def test_an_argument_survives_the_journey_through_an_address(
    case: tuple[ParameterType, Argument],
) -> None:
    kind, value = case

    assert parsed(of(kind), as_text(value)) == value
    assert parsed(of(kind), value) == value


def test_nothing_is_written_as_nothing() -> None:
    assert as_text(None) == ""
