"""One try of an operation by the person who edits it: what was sent, what came back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import get_language

from connectors import http_request, messages
from connectors.cells import as_text as cell_text
from connectors.failures import CallFailed
from connectors.loop import engine
from connectors.outcomes import Outcome, Success, Table
from connectors.parameters import ParameterSpec, ParameterType, parse_arguments
from connectors.services import perform, with_reserved
from connectors.specs import OperationSpec, SourceKind
from tenants.scope import Actor

MOST_ROWS = 50
_MOST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter as a field of a form."""

    name: str
    label: str
    value: str
    required: bool
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a try shows; secrets are masked.

    Attributes:
        sent: The request or query as it was sent.
        headers: Request headers by name.
        heading: Names of the columns, when the answer is a table.
        personal: Names of those that are masked, because they are personal.
        rows: Its first rows as texts.
        text: The answer, when it is a text.
        notes: Notes and cuts in words.
    """

    outcome: Outcome
    failed: bool
    sent: str
    headers: tuple[tuple[str, str], ...] = ()
    heading: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    notes: tuple[str, ...] = ()


def fields(spec: OperationSpec, given: Mapping[str, str]) -> tuple[Field, ...]:
    """Return the form fields of an operation's parameters."""
    language = get_language() or "ko"
    return tuple(
        _field(row, given.get(row.name, ""), language) for row in spec.parameters
    )


def run(spec: OperationSpec, given: Mapping[str, str], *, actor: Actor) -> Result:
    """Perform an operation with texts from a form; personal data is masked."""
    until = time.monotonic() + spec.timeout_ms / 1000
    outcome = engine().run(perform(spec, arguments=given, actor=actor, deadline=until))
    sent, headers = _sent(spec, given, actor)
    if not isinstance(outcome, Success):
        return Result(outcome, failed=True, sent=sent, headers=headers)
    heading: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text = ""
    if isinstance(outcome.data, Table):
        heading = tuple(column.name for column in outcome.data.columns)
        personal = tuple(each.name for each in outcome.data.columns if each.personal)
        rows = tuple(
            tuple("" if cell is None else cell_text(cell) for cell in row)
            for row in outcome.data.rows[:MOST_ROWS]
        )
    else:
        text = outcome.data[:_MOST_TEXT]
    notes = tuple(messages.note_text(note) for note in outcome.notes)
    return Result(
        outcome,
        failed=False,
        sent=sent,
        headers=headers,
        heading=heading,
        personal=personal,
        rows=rows,
        text=text,
        notes=notes,
    )


def _field(row: ParameterSpec, value: str, language: str) -> Field:
    choices = row.choices
    if row.type is ParameterType.BOOLEAN:
        choices = ("true", "false")
    elif row.type is ParameterType.LIST:
        choices = ()
    return Field(
        name=row.name,
        label=row.label.get(language) or row.name,
        value=value,
        required=row.required and row.default is None,
        choices=choices,
    )


def _sent(
    spec: OperationSpec, given: Mapping[str, str], actor: Actor
) -> tuple[str, tuple[tuple[str, str], ...]]:
    if spec.kind is SourceKind.SQL:
        return spec.sql, ()
    if spec.kind is SourceKind.PORTAL:
        return spec.series, ()
    values = parse_arguments(spec.parameters, given)
    if isinstance(values, tuple) or spec.source.fault:
        return "", ()
    try:
        request = http_request.build_request(spec, with_reserved(spec, values, actor))
    except CallFailed:
        return "", ()
    return request.shown, request.shown_headers()
