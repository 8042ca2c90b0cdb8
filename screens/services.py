"""Open a screen, preview a document, save, publish and revert versions."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone, translation

from branching.decisions import Decision, direct_decision
from branching.services import TableMissing, decide_all
from connectors.outcomes import Failure, Json, Reason
from connectors.parameters import (
    Argument,
    ArgumentError,
    ParameterSpec,
    ParameterType,
    parse_arguments,
)
from connectors.services import live_reveals, load_operations
from connectors.specs import OperationSpec
from screens import checks, messages
from screens.block_json import outcome_as_json
from screens.document import (
    Block,
    Document,
    DocumentError,
    FromParameter,
    parse_document,
)
from screens.models import Screen, ScreenVersion
from screens.pages import Addresses, Drawn, OpenPage, Reader
from screens.reviewing import review_section
from screens.runner import BlockResponse, Plan, Planned
from screens.schema import RESERVED_PARAMETERS
from screens.versions import (
    KeyRefused,
    StaleBase,
    copy_screen,
    publish,
    publish_errors,
    revert,
    save_version,
    screen_faults,
)
from tenants.models import User
from tenants.scope import Actor

__all__ = [
    "Addresses",
    "BlockResponse",
    "Drawn",
    "KeyRefused",
    "NotPublished",
    "OpenPage",
    "StaleBase",
    "UnknownBlock",
    "copy_screen",
    "open_screen",
    "outcome_as_json",
    "personal_operations",
    "preview",
    "publish",
    "publish_errors",
    "published_document",
    "revert",
    "review_section",
    "save_version",
    "screen_faults",
]

_PAGE = ParameterSpec(
    "page", ParameterType.INTEGER, default=1, minimum=1, maximum=10**9
)

Given = Mapping[str, str | Sequence[str]]


class NotPublished(LookupError):
    """The screen has no published version, or is retired: readers get a 404."""


class UnknownBlock(LookupError):
    """The document has no block with this id: readers get a 404."""


def open_screen(
    screen: Screen,
    *,
    arguments: Given,
    actor: Actor,
    addresses: Addresses | None = None,
    only: str | None = None,
    with_reveals: bool = False,
    revealed: Collection[str] = (),
) -> OpenPage | tuple[ArgumentError, ...]:
    """Start every block of the published version, and return the page that runs.

    The run has started when this returns; whoever gets the page iterates or closes
    it. Language and time zone are those active now. The number of queries does not
    depend on the number of blocks.

    Args:
        arguments: Raw arguments as an address has them. ``page`` is the page of a
            grid and no argument of the screen.
        addresses: Where blocks are found alone; none on the command line.
        only: Id of the one block to run.
        with_reveals: Show the personal data that the actor has revealed on this screen.
        revealed: Operations whose personal data is shown besides; the caller has a
            reason for each and writes it down (``connectors.services.exportable``).

    Raises:
        NotPublished: readers may not reach the screen.
        UnknownBlock: the document has no block `only`.
    """
    version = screen.published
    if version is None or screen.retired:
        raise NotPublished(f"Screen {screen.key} is not open to readers.")
    return _open(
        published_document(version),
        _Request(
            screen.key,
            version.number,
            arguments,
            actor,
            addresses,
            only,
            with_reveals,
            frozenset(revealed),
        ),
    )


def personal_operations(
    screen: Screen, *, arguments: Given, actor: Actor, only: str
) -> tuple[str, ...] | tuple[ArgumentError, ...]:
    """Return the operations of a block that may hold personal data; none is called.

    Raises:
        NotPublished: readers may not reach the screen.
        UnknownBlock: the document has no block `only`.
    """
    version = screen.published
    if version is None or screen.retired:
        raise NotPublished(f"Screen {screen.key} is not open to readers.")
    request = _Request(screen.key, version.number, arguments, actor, only=only)
    settled = _settled(published_document(version), request)
    if not isinstance(settled, _Settled):
        return settled
    return _personal_keys(settled.operations)


def preview(
    document: Document,
    *,
    actor: Actor,
    arguments: Given | None = None,
    key: str = "preview",
    viewer: User | None = None,
) -> OpenPage | tuple[ArgumentError, ...] | tuple[DocumentError, ...]:
    """Run a document that nobody has published, with the rights of `actor`.

    Names that lead nowhere become failed cards; operations that the actor may not
    use refuse the whole preview. What is called only reads: an operation asks its
    source, by GET, by a POST that is a question, or by one SELECT.

    Args:
        viewer: Whom the page is run as, in whose language and time zone; the caller
            has seen to it that the actor may (``screens.previews.preview_as``).
    """
    names = checks.Names.of(actor)
    denied = tuple(checks.permission_errors(document, names=names, actor=actor))
    if denied:
        return messages.with_words(denied)
    given = arguments or {}
    if viewer is None:
        return _open(document, _Request(key, 0, given, actor))
    shown_to = Actor(viewer.pk, actor.tenant_id, acting_for=actor.user_id)
    zone = ZoneInfo(viewer.time_zone)
    with translation.override(viewer.language), timezone.override(zone):
        return _open(document, _Request(key, 0, given, shown_to))


def published_document(version: ScreenVersion) -> Document:
    """Return the document of a version; parsed once for equal documents.

    Raises:
        ValueError: the stored document breaks today's rules. Publishing checks them,
            so this is a bug or a missing migration.
    """
    return _parsed(_Stored(version.digest, version.body))


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored document that is equal to another when their digests are."""

    digest: str
    body: Json = field(compare=False, repr=False)


@lru_cache(maxsize=512)
def _parsed(stored: _Stored) -> Document:
    document = parse_document(stored.body)
    if isinstance(document, tuple):
        faults = "; ".join(f"{each.pointer} {each.rule}" for each in document)
        raise ValueError(f"Document {stored.digest} is not valid: {faults}.")
    return document


@dataclass(frozen=True, slots=True)
class _Request:
    """What somebody asks of one document."""

    key: str
    version: int
    given: Given
    actor: Actor
    addresses: Addresses | None = None
    only: str | None = None
    with_reveals: bool = False
    revealed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Settled:
    """What is known before the first call."""

    reader: Reader
    arguments: Mapping[str, Argument]
    planned: tuple[Planned, ...]
    operations: Mapping[str, OperationSpec]


def _open(
    document: Document, request: _Request
) -> OpenPage | tuple[ArgumentError, ...]:
    started = time.monotonic()
    settled = _settled(document, request)
    if not isinstance(settled, _Settled):
        return settled
    keys = _personal_keys(settled.operations) if request.with_reveals else ()
    reveals = live_reveals(keys, place=request.key, actor=request.actor)
    allowed_ms = min(document.deadline_ms, settings.SIGNALBOX_PAGE_DEADLINE_MS)
    plan = Plan(
        key=request.key,
        blocks=settled.planned,
        operations=settled.operations,
        actor=request.actor,
        started=started,
        deadline=started + allowed_ms / 1_000,
        at_once=getattr(settings, "SIGNALBOX_BLOCKS_AT_ONCE", 16),
        revealed=request.revealed | {each.operation for each in reveals},
    )
    return OpenPage(
        plan,
        document,
        version=request.version,
        arguments=settled.arguments,
        reader=settled.reader,
        addresses=request.addresses,
        reveals=reveals,
    )


def _settled(
    document: Document, request: _Request
) -> _Settled | tuple[ArgumentError, ...]:
    """Read the arguments, decide for every block and load what it may call."""
    blocks = _chosen(document, request.only)
    given = {
        name: value
        for name, value in request.given.items()
        if name not in RESERVED_PARAMETERS
    }
    page = _page_number(request.given)
    reader = Reader.current(page=page if isinstance(page, int) else 1, given=given)
    arguments = parse_arguments(document.parameters, given, time_zone=reader.time_zone)
    if isinstance(arguments, tuple) or isinstance(page, tuple):
        faults = [each for each in (arguments, page) if isinstance(each, tuple)]
        return tuple(fault for each in faults for fault in each)
    planned = _plan(blocks, arguments, actor=request.actor)
    operations = load_operations(_operation_keys(planned), actor=request.actor)
    return _Settled(reader, arguments, planned, operations)


def _personal_keys(operations: Mapping[str, OperationSpec]) -> tuple[str, ...]:
    return tuple(
        sorted(key for key, spec in operations.items() if spec.may_be_personal)
    )


def _chosen(document: Document, only: str | None) -> tuple[Block, ...]:
    if only is None:
        return document.blocks
    chosen = tuple(block for block in document.blocks if block.id == only)
    if not chosen:
        raise UnknownBlock(f"The document has no block {only!r}.")
    return chosen


def _page_number(given: Given) -> int | tuple[ArgumentError, ...]:
    raw = {"page": given["page"]} if given.get("page") else {}
    values = parse_arguments((_PAGE,), raw)
    if isinstance(values, tuple):
        return values
    page = values["page"]
    return page if isinstance(page, int) else 1


def _plan(
    blocks: Sequence[Block], arguments: Mapping[str, Argument], *, actor: Actor
) -> tuple[Planned, ...]:
    """Decide for every block; each decision table is asked in one go."""
    tabled = [block for block in blocks if block.source.decision_table]
    requests = [
        (block.source.decision_table, _arguments_of(block, arguments))
        for block in tabled
    ]
    answers = decide_all(requests, actor=actor) if requests else []
    decided = {block.id: answer for block, answer in zip(tabled, answers, strict=True)}
    return tuple(_planned(block, decided.get(block.id), arguments) for block in blocks)


def _planned(
    block: Block,
    decided: Decision | TableMissing | None,
    arguments: Mapping[str, Argument],
) -> Planned:
    source = block.source
    match decided:
        case Decision():
            return Planned(block, decided)
        case None:
            direct = direct_decision(source.operation, _arguments_of(block, arguments))
            return Planned(block, direct)
        case TableMissing():
            message = messages.table_missing(source.decision_table)
            nothing = Decision(source.decision_table, "", (), "default")
            return Planned(block, nothing, Failure(Reason.MISSING, message, 0.0))


def _arguments_of(
    block: Block, arguments: Mapping[str, Argument]
) -> dict[str, Argument]:
    return {
        name: arguments[value.name] if isinstance(value, FromParameter) else value
        for name, value in block.source.arguments.items()
    }


def _operation_keys(planned: Sequence[Planned]) -> set[str]:
    decisions = [each.decision for each in planned]
    called = {call.operation for decision in decisions for call in decision.calls}
    return called | {
        step.call.operation
        for decision in decisions
        for step in decision.fallbacks
        if step.call is not None
    }
