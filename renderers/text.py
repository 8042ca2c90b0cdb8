"""Text: plain, Markdown, JSON, a log, keys and values, or one number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import nh3
import orjson
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from connectors.outcomes import Column, ColumnType, Success, Table
from renderers import messages
from renderers.columns import (
    CannotDraw,
    ShownColumn,
    in_language,
    positions,
    shown_columns,
)
from renderers.formatting import NUMBERS, writer
from renderers.frame import Body, empty_body, framed, zone_of
from renderers.presentation import Format, Presentation, RenderContext, RenderedBlock
from renderers.rows import column_function, no_value_html
from renderers.safety import escaped, neutralised
from renderers.schemas import MAX_CHARS

Options = Mapping[str, Any]
_KEY_VALUE_ROWS = 50
MARKDOWN_CHARS = 20_000


def render(
    success: Success, presentation: Presentation, context: RenderContext
) -> RenderedBlock:
    """Draw text in the mode that the options name, or that suits the data."""
    body = text_body(success, presentation.options, context)
    return framed(body, format=Format.TEXT, success=success, context=context)


def text_body(success: Success, options: Options, context: RenderContext) -> Body:
    """Draw the text without its frame.

    Raises:
        CannotDraw: the options name columns that are not there.
    """
    data = success.data
    if isinstance(data, Table):
        columns = shown_columns(data, options, language=context.language)
        if not data.rows:
            return empty_body(data)
    elif not data:
        return empty_body()
    else:
        columns = ()
    mode = options.get("mode") or _mode_for(data)
    if mode == "number":
        return _number(_as_table(data), options, context)
    if mode == "key_value":
        return _key_value(data, columns, context)
    text = (
        data
        if isinstance(data, str)
        else _joined(data, columns, options=options, mode=mode, context=context)
    )
    return _long_text(text, mode=mode, limit=options.get("max_chars", MAX_CHARS))


def _mode_for(data: Table | str) -> str:
    if isinstance(data, str) or len(data.rows) != 1:
        return "plain"
    numbers = [column for column in data.columns if column.type in NUMBERS]
    return "number" if len(numbers) == len(data.columns) == 1 else "key_value"


def _as_table(data: Table | str) -> Table:
    if isinstance(data, Table):
        return data
    text = data.strip()
    return Table((Column("value", ColumnType.TEXT),), ((text[:100],),))


# --- Texts that may be long -------------------------------------------------------


def _long_text(text: str, *, mode: str, limit: int) -> Body:
    notes: tuple[str, ...] = ()
    if mode == "json":
        text, is_json = _pretty(text)
        notes = () if is_json else (messages.not_json(),)
    if mode == "markdown":
        # Reading Markdown can take time that grows with the square of its length.
        limit = min(limit, MARKDOWN_CHARS)
    cuts: tuple[str, ...] = ()
    if len(text) > limit:
        cuts = (messages.text_cut(at=limit, total=len(text)),)
        text = text[:limit]
    html = _DRAW[mode](neutralised(text))
    return Body(html=html, cuts=cuts, notes=notes)


def _pretty(text: str) -> tuple[str, bool]:
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, ValueError):
        return text, False
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), True


def _plain(text: str) -> SafeString:
    return format_html('<div class="rb-text rb-plain">{}</div>', text)


def _code(text: str) -> SafeString:
    return format_html(
        '<pre class="rb-text rb-code" tabindex="0"><code>{}</code></pre>', text
    )


def _markdown(text: str) -> SafeString:
    html = nh3.clean(
        _markdown_it().render(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}, "th": set(), "td": set()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return format_html(
        '<div class="rb-text rb-markdown">{}</div>',
        mark_safe(html),  # HTML in the text is off, and nh3 has cleaned the rest
    )


_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li",
    "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


@cache
def _markdown_it() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    reader.enable(["table", "strikethrough"])
    # Headings of a block stand below the block's own, which is an h2.
    reader.core.ruler.push("lower_headings", _lower_headings)
    return reader


def _lower_headings(state: Any) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


_LEVEL = re.compile(
    r"\b(?:(?P<bad>FATAL|CRITICAL|CRIT|SEVERE|PANIC|EMERG|ALERT|ERROR|ERR)"
    r"|(?P<warn>WARNING|WARN)|(?P<info>NOTICE|INFO)"
    r"|(?P<quiet>DEBUG|TRACE|FINE))\b",
    re.IGNORECASE,
)


def _log(text: str) -> SafeString:
    lines = format_html_join("\n", "{}", ((_log_line(line),) for line in _lines(text)))
    return format_html(
        '<pre class="rb-text rb-log" tabindex="0"><code>{}</code></pre>', lines
    )


def _lines(text: str) -> Iterator[str]:
    return iter(text.removesuffix("\n").split("\n"))


def _log_line(line: str) -> SafeString:
    # A level stands near the start; words further on belong to the message.
    found = _LEVEL.search(line, 0, 120)
    if found is None:
        return format_html('<span class="rb-line">{}</span>', line)
    return format_html(
        '<span class="rb-line rb-{}">{}<b class="rb-level">{}</b>{}</span>',
        found.lastgroup,
        line[: found.start()],
        found[0],
        line[found.end() :],
    )


_DRAW: Mapping[str, Callable[[str], SafeString]] = {
    "plain": _plain,
    "markdown": _markdown,
    "json": _code,
    "log": _log,
}


# --- Rows as text -----------------------------------------------------------------


def _joined(
    table: Table,
    columns: tuple[ShownColumn, ...],
    *,
    options: Options,
    mode: str,
    context: RenderContext,
) -> str:
    """Write rows as one text, a row at a time."""
    if mode == "json":
        return _rows_as_json(table, columns)
    zone = zone_of(context)
    writes = [
        writer(type=column.type, format=column.format, zone=zone) for column in columns
    ]
    guard = _markdown_escaped if mode == "markdown" else str
    template = options.get("template")
    names = [column.name for column in columns]
    fill = _filler(template, table, names) if template else "\t".join
    texts = (
        [
            "—" if row[column.index] is None else guard(write(row[column.index]))
            for column, write in zip(columns, writes, strict=True)
        ]
        for row in table.rows
    )
    return ("\n\n" if mode == "markdown" else "\n").join(fill(text) for text in texts)


_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


def _filler(
    template: str, table: Table, names: list[str]
) -> Callable[[list[str]], str]:
    wanted = [match[1] for match in _PLACE.finditer(template) if match[1]]
    positions(table, wanted)
    unshown = [name for name in wanted if name not in names]
    if unshown:
        positions(Table((*map(Column, names),), ()), unshown)

    def fill(texts: list[str]) -> str:
        values = dict(zip(names, texts, strict=True))

        def put(match: re.Match[str]) -> str:
            return values[match[1]] if match[1] else match[0][0]

        return _PLACE.sub(put, template)

    return fill


_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&:])")


def _markdown_escaped(text: str) -> str:
    """Let a value be text in Markdown: no sign of it formats, nothing starts a line."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", " ".join(neutralised(text).split()))


def _rows_as_json(table: Table, columns: tuple[ShownColumn, ...]) -> str:
    rows = [
        {neutralised(column.name): _json_value(row[column.index]) for column in columns}
        for row in table.rows
    ]
    return orjson.dumps(rows, default=str).decode()


def _json_value(value: object) -> object:
    if isinstance(value, str):
        return neutralised(value)
    if isinstance(value, int) and not -(2**53) < value < 2**53:
        return str(value)
    return value


# --- Keys and values, one number --------------------------------------------------


def _key_value(
    data: Table | str, columns: tuple[ShownColumn, ...], context: RenderContext
) -> Body:
    if isinstance(data, str):
        return _key_value_of_text(data)
    zone = zone_of(context)
    draws = [column_function(column, zone=zone) for column in columns]
    groups = [
        [
            {
                "key": neutralised(column.label),
                "unit": neutralised(column.unit),
                "value": mark_safe(draw([row[column.index]])[0]),  # drawn escaped
            }
            for column, draw in zip(columns, draws, strict=True)
        ]
        for row in data.rows[:_KEY_VALUE_ROWS]
    ]
    cuts: tuple[str, ...] = ()
    if len(data.rows) > _KEY_VALUE_ROWS:
        cuts = (messages.table_limit(at=_KEY_VALUE_ROWS, total=len(data.rows)),)
    html = render_to_string("renderers/key_value.html", {"groups": groups})
    return Body(html=html, cuts=cuts)


def _key_value_of_text(text: str) -> Body:
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, ValueError):
        value = None
    if not isinstance(value, dict):
        body = _long_text(text, mode="plain", limit=MAX_CHARS)
        return Body(body.html, body.cuts, (messages.not_json(),))
    group = [
        {"key": neutralised(key), "unit": "", "value": _json_html(item)}
        for key, item in value.items()
    ]
    html = render_to_string("renderers/key_value.html", {"groups": [group]})
    return Body(html=html)


def _json_html(item: object) -> SafeString:
    if item is None:
        return no_value_html()
    text = item if isinstance(item, str) else orjson.dumps(item).decode()
    return mark_safe(escaped(text[:MAX_CHARS]))


def _number(table: Table, options: Options, context: RenderContext) -> Body:
    names = [column.name for column in table.columns]
    numbers = [column.name for column in table.columns if column.type in NUMBERS]
    name = options.get("value") or next(iter(numbers or names), "")
    place = positions(table, [name])[0]
    column, value = table.columns[place], table.rows[0][place]
    if isinstance(value, str) and not _reads_as_number(value):
        raise CannotDraw(messages.not_a_number(neutralised(name)))
    write = writer(
        type=column.type,
        format=options.get("format", column.format),
        zone=zone_of(context),
    )
    label = in_language(column.label, context.language, default=column.name)
    html = render_to_string(
        "renderers/number.html",
        {
            "label": neutralised(
                in_language(options.get("label", {}), context.language, default=label)
            ),
            "text": no_value_html() if value is None else neutralised(write(value)),
            "unit": neutralised(options.get("unit", column.unit)),
            "delta": _delta(table, options, context),
        },
    )
    return Body(html=html)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _delta(
    table: Table, options: Options, context: RenderContext
) -> dict[str, Any] | None:
    if "delta" not in options:
        return None
    place = positions(table, [options["delta"]])[0]
    value = table.rows[0][place]
    if value is None or isinstance(value, (str, bool)):
        return None
    column = table.columns[place]
    write = writer(type=column.type, format=column.format, zone=zone_of(context))
    direction = 0
    if column.type in NUMBERS:
        direction = (value > 0) - (value < 0)  # type: ignore[operator]
    return {"direction": direction, "text": write(value)}
