"""Every word of charts, in the active language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from renderers.messages import grouped


def nothing_to_plot(columns: Sequence[str]) -> str:
    text = _("There is no column of numbers to plot. The data has: %(columns)s.")
    return text % {"columns": ", ".join(columns[:30]) or _("none")}


def not_numbers(name: str, kind: str) -> str:
    text = _("Column “%(name)s” holds %(kind)s, not numbers. Choose another column.")
    return text % {"name": name, "kind": kind}


def negative_share(name: str) -> str:
    text = _("A pie cannot show negative values of “%(name)s”. Choose bars.")
    return text % {"name": name}


def heatmap_needs_two() -> str:
    return _("A heatmap needs two columns of names: give x and series.")


def texts_read_as_numbers(name: str) -> str:
    return _("The texts of column “%(name)s” were read as numbers.") % {"name": name}


def number_texts_as_names(name: str) -> str:
    text = _(
        "Column “%(name)s” holds numbers written as text; they are drawn as names, "
        "in the order of the rows."
    )
    return text % {"name": name}


def because_time(name: str) -> str:
    text = _("Chosen for you: a line, because “%(name)s” is a time.")
    return text % {"name": name}


def because_name(name: str) -> str:
    text = _("Chosen for you: bars, because “%(name)s” holds names.")
    return text % {"name": name}


def because_two_names(first: str, second: str) -> str:
    text = _(
        "Chosen for you: a heatmap, because “%(first)s” and “%(second)s” hold names."
    )
    return text % {"first": first, "second": second}


def because_two_numbers(first: str, second: str) -> str:
    text = _(
        "Chosen for you: points, because “%(first)s” and “%(second)s” are numbers."
    )
    return text % {"first": first, "second": second}


def because_number(name: str) -> str:
    text = _("Chosen for you: a histogram, because “%(name)s” is the only column.")
    return text % {"name": name}


def columns_ignored(kind: str, names: Sequence[str]) -> str:
    text = _("Not drawn, because a %(kind)s has no place for them: %(columns)s.")
    return text % {"kind": kind_name(kind), "columns": ", ".join(names)}


def stack_ignored() -> str:
    return _("Nothing was stacked: only bars, areas and histograms can be.")


def kind_name(kind: str) -> str:
    """Name a type of chart as a word of a sentence."""
    return {
        "line": _("line chart"),
        "bar": _("bar chart"),
        "area": _("area chart"),
        "pie": _("pie"),
        "scatter": _("scatter plot"),
        "histogram": _("histogram"),
        "heatmap": _("heatmap"),
    }[kind]


def missing_name() -> str:
    return _("(no value)")


def others() -> str:
    return _("Others")


def count() -> str:
    return _("Count")


def row_number() -> str:
    return _("Row")


def series_word() -> str:
    return _("Series")


def rows_added() -> str:
    return _("Rows that share a place were added up.")


def series_cut(*, at: int, total: int) -> str:
    text = _("First %(at)s of %(total)s series.")
    return text % {"at": grouped(at), "total": grouped(total)}


def categories_cut(*, at: int, total: int) -> str:
    text = _("First %(at)s of %(total)s names on the axis.")
    return text % {"at": grouped(at), "total": grouped(total)}


def small_shares(rest: int) -> str:
    return _("The %(rest)s smallest shares stand together as “Others”.") % {
        "rest": grouped(rest)
    }


def downsampled(*, drawn: int, total: int) -> str:
    text = _(
        "%(drawn)s of %(total)s points are drawn: the smallest and largest of each "
        "stretch, so that every peak is there."
    )
    return text % {"drawn": grouped(drawn), "total": grouped(total)}


def table_cut(*, at: int, total: int) -> str:
    text = _("First %(at)s of %(total)s lines of the data.")
    return text % {"at": grouped(at), "total": grouped(total)}


def trend(direction: int) -> str:
    return {1: _("rising"), -1: _("falling"), 0: _("steady")}[direction]


def one_series(
    name: str, *, count: int, low: str, high: str, last: str, direction: int
) -> str:
    text = ngettext(
        "%(name)s: %(count)s value; min %(low)s, max %(high)s, last %(last)s; "
        "%(trend)s.",
        "%(name)s: %(count)s values; min %(low)s, max %(high)s, last %(last)s; "
        "%(trend)s.",
        count,
    )
    return text % {
        "name": name,
        "count": grouped(count),
        "low": low,
        "high": high,
        "last": last,
        "trend": trend(direction),
    }


def unordered(name: str, *, count: int, low: str, high: str) -> str:
    """Sum up one series without an order: the names of its extremes are in them."""
    text = ngettext(
        "%(name)s: %(count)s value; min %(low)s, max %(high)s.",
        "%(name)s: %(count)s values; min %(low)s, max %(high)s.",
        count,
    )
    return text % {"name": name, "count": grouped(count), "low": low, "high": high}


def several(series: int, *, count: int, low: str, high: str) -> str:
    text = _("%(series)s series, %(count)s values; min %(low)s, max %(high)s.")
    return text % {
        "series": grouped(series),
        "count": grouped(count),
        "low": low,
        "high": high,
    }


def shares(name: str, *, count: int, total: str, largest: str, share: str) -> str:
    text = ngettext(
        "%(name)s: %(count)s share of %(total)s in all; the largest is %(largest)s "
        "with %(share)s.",
        "%(name)s: %(count)s shares of %(total)s in all; the largest is %(largest)s "
        "with %(share)s.",
        count,
    )
    return text % {
        "name": name,
        "count": grouped(count),
        "total": total,
        "largest": largest,
        "share": share,
    }


def distribution(name: str, *, count: int, tallest: str, in_it: str) -> str:
    text = ngettext(
        "%(name)s: %(count)s value; most of them, %(in_it)s, lie in %(tallest)s.",
        "%(name)s: %(count)s values; most of them, %(in_it)s, lie in %(tallest)s.",
        count,
    )
    return text % {
        "name": name,
        "count": grouped(count),
        "in_it": in_it,
        "tallest": tallest,
    }


def no_values() -> str:
    return _("There are rows, but no value to draw.")
