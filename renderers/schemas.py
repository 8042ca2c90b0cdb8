"""The options of each format as JSON Schemas (draft 2020-12). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderers.presentation import Format

Schema = dict[str, Any]


def gettext_noop(text: str) -> str:
    """Mark words of a schema for translation; forms translate them when drawn."""
    return text


DRAFT = "https://json-schema.org/draft/2020-12/schema"
MAX_CHARS = 65_536
TABLE_LIMIT = 1_000
PAGE_SIZE = 50

_NUMBER_FORMAT = r"^(0|0\.0{1,6}|0%|0\.0{1,6}%|KRW|USD|EUR|JPY|raw|.*%[a-zA-Z].*)$"

_COLUMN_NAME: Schema = {
    "type": "string",
    "minLength": 1,
    "title": gettext_noop("Column"),
    "description": gettext_noop("Name of a column of the data."),
}
_WORDS: Schema = {
    "type": "object",
    "title": gettext_noop("Text by language"),
    "description": gettext_noop(
        'Words by language, such as {"ko": "재고", "en": "Stock"}.'
    ),
    "propertyNames": {"enum": ["ko", "en"]},
    "additionalProperties": {"type": "string"},
}
_FORMAT: Schema = {
    "type": "string",
    "pattern": _NUMBER_FORMAT,
    "title": gettext_noop("Format"),
    "description": gettext_noop(
        "How values are written: 0 or 0.00 (decimals), 0% or 0.0% (a share times "
        "100), KRW, USD, EUR, JPY, raw (as it came), or a date format such as %Y-%m."
    ),
}
_UNIT: Schema = {
    "type": "string",
    "maxLength": 20,
    "title": gettext_noop("Unit"),
    "description": gettext_noop("Unit shown in the heading, such as °C or ms."),
}
_COLUMN: Schema = {
    "title": gettext_noop("Column shown"),
    "description": gettext_noop(
        "A name, or an object with the name and how it is shown."
    ),
    "type": ["string", "object"],
    "minLength": 1,
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": _COLUMN_NAME,
        "label": {
            **_WORDS,
            "title": gettext_noop("Label"),
            "description": gettext_noop("Heading of the column, by language."),
        },
        "format": _FORMAT,
        "unit": _UNIT,
        "align": {
            "enum": ["left", "right", "center"],
            "title": gettext_noop("Alignment"),
            "description": gettext_noop(
                "Where values stand; numbers stand right by default."
            ),
        },
    },
}
_COLUMNS: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 100,
    "items": _COLUMN,
    "title": gettext_noop("Columns"),
    "description": gettext_noop(
        "Columns shown, in this order; all of them when not given."
    ),
}
_SORT: Schema = {
    "type": "array",
    "maxItems": 5,
    "title": gettext_noop("Sort"),
    "description": gettext_noop("Order of the rows; missing values come last."),
    "items": {
        "type": "object",
        "required": ["column"],
        "additionalProperties": False,
        "title": gettext_noop("Sort key"),
        "description": gettext_noop("One column to sort by."),
        "properties": {
            "column": _COLUMN_NAME,
            "descending": {
                "type": "boolean",
                "default": False,
                "title": gettext_noop("Descending"),
                "description": gettext_noop("Whether the largest value comes first."),
            },
        },
    },
}
_TOTALS: Schema = {
    "type": "array",
    "maxItems": 20,
    "title": gettext_noop("Totals"),
    "description": gettext_noop(
        "Figures below the rows, each with the count of values it covers."
    ),
    "items": {
        "type": "object",
        "required": ["column", "function"],
        "additionalProperties": False,
        "title": gettext_noop("Total"),
        "description": gettext_noop("One figure of one column."),
        "properties": {
            "column": _COLUMN_NAME,
            "function": {
                "enum": ["sum", "avg", "min", "max"],
                "title": gettext_noop("Function"),
                "description": gettext_noop(
                    "How the figure is made from the values of the column."
                ),
            },
        },
    },
}
_EMPHASIS: Schema = {
    "type": "array",
    "maxItems": 50,
    "title": gettext_noop("Emphasis"),
    "description": gettext_noop(
        "Rules that mark cells with an icon and a word; the first one wins."
    ),
    "items": {
        "type": "object",
        "required": ["column", "operator", "tone"],
        "additionalProperties": False,
        "title": gettext_noop("Rule of emphasis"),
        "description": gettext_noop(
            "Marks the cells of one column that satisfy a comparison."
        ),
        "properties": {
            "column": _COLUMN_NAME,
            "operator": {
                "enum": ["<", "<=", ">", ">=", "==", "!=", "contains", "missing"],
                "title": gettext_noop("Operator"),
                "description": gettext_noop("How the cell is compared with the value."),
            },
            "value": {
                "type": ["number", "string", "boolean"],
                "title": gettext_noop("Value"),
                "description": gettext_noop(
                    "What the cell is compared with; dates as 2026-01-31."
                ),
            },
            "tone": {
                "enum": ["good", "warn", "bad"],
                "title": gettext_noop("Tone"),
                "description": gettext_noop("What the mark means."),
            },
            "label": {
                **_WORDS,
                "title": gettext_noop("Label"),
                "description": gettext_noop("Word beside the icon, by language."),
            },
        },
    },
}
_ROW_HEADER: Schema = {
    **_COLUMN_NAME,
    "title": gettext_noop("Row header"),
    "description": gettext_noop(
        "Column that names its row; the first one when not given."
    ),
}
_ROWS: dict[str, Schema] = {
    "columns": _COLUMNS,
    "sort": _SORT,
    "row_header": _ROW_HEADER,
    "totals": _TOTALS,
    "emphasis": _EMPHASIS,
}


def _schema(title: str, description: str, properties: Mapping[str, Schema]) -> Schema:
    return {
        "$schema": DRAFT,
        "title": title,
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": dict(properties),
    }


_TEXT = _schema(
    "Text",
    "Options of text: plain, Markdown, JSON, log, key and value, or one number.",
    {
        "mode": {
            "enum": ["plain", "markdown", "json", "log", "key_value", "number"],
            "title": gettext_noop("Mode"),
            "description": gettext_noop(
                "How the text is read; from the data when not given: one number, "
                "one row as keys and values, else plain."
            ),
        },
        "columns": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": _COLUMN,
            "title": gettext_noop("Columns"),
            "description": gettext_noop(
                "Columns used when the data has rows; all when not given."
            ),
        },
        "template": {
            "type": "string",
            "maxLength": 4_000,
            "title": gettext_noop("Template"),
            "description": gettext_noop(
                "Plain and Markdown: text for each row, with {column} where a value "
                "goes; {{ and }} are braces."
            ),
        },
        "value": {
            **_COLUMN_NAME,
            "title": gettext_noop("Value"),
            "description": gettext_noop(
                "Number: the column shown large; the first number column."
            ),
        },
        "delta": {
            **_COLUMN_NAME,
            "title": gettext_noop("Change over time"),
            "description": gettext_noop(
                "Number: a column with the change since the last period."
            ),
        },
        "label": {
            **_WORDS,
            "title": gettext_noop("Label"),
            "description": gettext_noop("Number: what the number is."),
        },
        "unit": {
            **_UNIT,
            "description": gettext_noop("Number: unit beside the number."),
        },
        "format": _FORMAT,
        "max_chars": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000,
            "default": MAX_CHARS,
            "title": gettext_noop("Longest text"),
            "description": gettext_noop(
                "Characters shown; the cut is told to the reader. Markdown is cut "
                "at 20,000 in any case."
            ),
        },
    },
)

_TABLE = _schema(
    "Table",
    "Options of a static table, whole on the page.",
    {
        **_ROWS,
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": 5_000,
            "default": TABLE_LIMIT,
            "title": gettext_noop("Limit"),
            "description": gettext_noop(
                "Most rows shown; more are told to the reader."
            ),
        },
    },
)

_GRID = _schema(
    "Grid",
    "Options of an interactive grid, drawn page by page.",
    {
        **_ROWS,
        "page_size": {
            "type": "integer",
            "minimum": 1,
            "maximum": 500,
            "default": PAGE_SIZE,
            "title": gettext_noop("Page size"),
            "description": gettext_noop("Rows on one page."),
        },
    },
)

_CHART = _schema(
    "Chart",
    "Options of a chart; what is not named is inferred from the columns.",
    {
        "type": {
            "enum": ["line", "bar", "area", "pie", "scatter", "histogram", "heatmap"],
            "title": gettext_noop("Type"),
            "description": gettext_noop(
                "Kind of chart: line, bar, area, pie, scatter, histogram or heatmap. "
                "A time and numbers make a line, names and numbers bars."
            ),
        },
        "x": {
            **_COLUMN_NAME,
            "title": gettext_noop("X"),
            "description": gettext_noop(
                "Column of the horizontal axis, or the names of a pie."
            ),
        },
        "y": {
            "type": ["string", "array"],
            "minLength": 1,
            "minItems": 1,
            "maxItems": 12,
            "uniqueItems": True,
            "items": _COLUMN_NAME,
            "title": gettext_noop("Y"),
            "description": gettext_noop(
                "Number column, or several of them, each drawn as a series."
            ),
        },
        "series": {
            **_COLUMN_NAME,
            "title": gettext_noop("Series"),
            "description": gettext_noop(
                "Column whose values part the rows; rows of a heatmap."
            ),
        },
        "stack": {
            "enum": ["none", "stacked", "percent"],
            "default": "none",
            "title": gettext_noop("Stack"),
            "description": gettext_noop(
                "Bars, areas: side by side, added up, or shares of 100 %."
            ),
        },
        "labels": {
            "type": "object",
            "maxProperties": 50,
            "additionalProperties": _WORDS,
            "title": gettext_noop("Labels"),
            "description": gettext_noop(
                "Words for columns by language, by name of the column."
            ),
        },
    },
)

SCHEMAS: Mapping[Format, Schema] = {
    Format.TEXT: _TEXT,
    Format.GRID: _GRID,
    Format.TABLE: _TABLE,
    Format.CHART: _CHART,
}
"""The published schema of each format's options."""
