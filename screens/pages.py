"""One page being run: blocks come out drawn, in the order in which they finish."""

from __future__ import annotations

import logging
import time
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urlencode

from django.utils import timezone, translation
from django.utils.html import format_html

from connectors.loop import Mailbox
from connectors.outcomes import Failure, Outcome, Reason
from connectors.parameters import Argument
from connectors.services import LiveReveal
from observability.services import current_trace_id, measure, trace_address
from renderers.presentation import (
    Format,
    Presentation,
    RenderContext,
    RenderedBlock,
    State,
)
from renderers.services import render_outcome
from screens import messages, runner
from screens.document import Block, Document
from screens.runner import BlockResponse, Finished, Plan

logger = logging.getLogger(__name__)

T = TypeVar("T")

LATE_S = 0.06
"""Seconds after its deadline at which a page stops waiting for the loop itself."""

SHOWN_BADLY = frozenset(
    {State.FAILED, State.TIMED_OUT, State.DENIED, State.CIRCUIT_OPEN}
)


class Drawn(NamedTuple):
    """One finished block with what it shows."""

    block: Block
    response: BlockResponse
    rendered: RenderedBlock

    @property
    def failed(self) -> bool:
        return self.rendered.state in SHOWN_BADLY


def nowhere(block: str) -> str:
    """Give a block no address."""
    return ""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where readers find one block alone, its rows as CSV, and its personal data.

    All take the id of the block and return a path without a query; the page adds its
    own arguments.
    """

    block: Callable[[str], str]
    csv: Callable[[str], str]
    personal: Callable[[str], str] = nowhere


@dataclass(frozen=True, slots=True)
class Reader:
    """How the reader of a page wants it, captured before the middleware lets go.

    Attributes:
        page: Page of a grid, from 1.
        given: Raw arguments of the address, for links.
    """

    language: str
    time_zone: str
    page: int = 1
    given: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    @classmethod
    def current(
        cls, *, page: int = 1, given: Mapping[str, str | Sequence[str]] | None = None
    ) -> Reader:
        return cls(
            language=translation.get_language() or "ko",
            time_zone=timezone.get_current_timezone_name(),
            page=page,
            given=given or {},
        )


class OpenPage:
    """A page whose blocks run. Iterate for drawn blocks; `close` cancels the rest.

    A class and no generator: closing a generator that never started does nothing,
    and the run would go on.

    Attributes:
        key: Key of the screen.
        document: What is run.
        version: Number of the version; 0 for a preview.
        arguments: Value of every parameter of the screen.
        blocks: The blocks that run, in order of the document.
        assets: Names of scripts the page may need, whatever its blocks answer.
        reveals: What the reader has revealed and sees on this page.
    """

    def __init__(
        self,
        plan: Plan,
        document: Document,
        *,
        version: int,
        arguments: Mapping[str, Argument],
        reader: Reader,
        addresses: Addresses | None,
        reveals: Sequence[LiveReveal] = (),
    ) -> None:
        self.key = plan.key
        self.document = document
        self.version = version
        self.arguments = arguments
        self.reader = reader
        self.blocks = tuple(planned.block for planned in plan.blocks)
        self.assets = assets_of(self.blocks)
        self.reveals = tuple(reveals)
        self._addresses = addresses
        self._known_addresses: dict[str, tuple[str, str, str]] = {}
        self._plan = plan
        self._waiting = {planned.block.id: planned for planned in plan.blocks}
        self._ready: list[Drawn] = []
        self._mailbox: Mailbox[Finished] = Mailbox()
        # The measurement begins here and ends in `close`, from another call: both,
        # and everything between, enter the same context.
        self._context: Context = copy_context()
        tenant = str(plan.actor.tenant_id)
        self._timing = measure("screen", key=plan.key, tenant=tenant)
        self._context.run(self._timing.__enter__)
        self._run = self._context.run(runner.start, plan, mailbox=self._mailbox)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Drawn:
        while not self._ready:
            if self.finished:
                self.close()
                raise StopIteration
            self._ready += self.take(timeout=None)
        return self._ready.pop(0)

    @property
    def finished(self) -> bool:
        """Whether every block has come out, or the page was closed."""
        return self._closed or not self._waiting

    def take(self, *, timeout: float | None) -> list[Drawn]:
        """Draw every block that is done, waiting for the first one.

        Args:
            timeout: Seconds to wait at most; None until the page's deadline.

        Returns:
            Blocks in order of completion; none when nothing came in time. After the
            deadline, every block that is still missing comes out as timed out.
        """
        left = max(0.0, self._plan.deadline + LATE_S - time.monotonic())
        done: list[Finished] = []
        try:
            done.append(
                self._mailbox.get(left if timeout is None else min(left, timeout))
            )
            while True:
                done.append(self._mailbox.get(0))
        except TimeoutError:
            pass
        drawn = self._draw([each for each in done if self._expects(each)])
        if not drawn and time.monotonic() >= self._plan.deadline + LATE_S:
            missing = list(self._waiting.values())
            self._waiting.clear()
            late = [runner.timed_out(self._plan, planned) for planned in missing]
            drawn = self._draw(late)
        return drawn

    def close(self) -> None:
        """Cancel what still runs, and wait for nobody. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        self._run.cancel()
        if self._waiting:
            self._timing.note("abandoned", len(self._waiting))
        self._context.run(self._timing.__exit__, None, None, None)

    def title(self) -> str:
        return self.document.title.in_language(self.reader.language)

    def address_of(self, block: Block) -> str:
        """Return the address of one block alone, with the page's arguments, or ""."""
        return self._addresses_of(block)[0]

    def csv_address_of(self, block: Block) -> str:
        """Return the address of a block's rows as CSV, or ""."""
        return self._addresses_of(block)[1]

    def personal_address_of(self, block: Block) -> str:
        """Return where the personal data of a block is revealed, or ""."""
        return self._addresses_of(block)[2]

    def in_context(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call something as the page: its tenant, trace, language and time zone."""

        def call() -> T:
            zone = zoneinfo.ZoneInfo(self.reader.time_zone)
            with translation.override(self.reader.language), timezone.override(zone):
                return function(*arguments)

        return self._context.run(call)

    def _addresses_of(self, block: Block) -> tuple[str, str, str]:
        """Look up the addresses of a block once: a page asks for them five times."""
        found = self._known_addresses.get(block.id)
        if found is None:
            found = ("", "", "")
            if self._addresses is not None:
                query = urlencode(self.reader.given, doseq=True)
                end = f"?{query}" if query else ""
                personal = self._addresses.personal(block.id)
                found = (
                    self._addresses.block(block.id) + end,
                    self._addresses.csv(block.id) + end,
                    personal and personal + end,
                )
            self._known_addresses[block.id] = found
        return found

    def _expects(self, finished: Finished) -> bool:
        return self._waiting.pop(finished.block.id, None) is not None

    def _draw(self, finished: Sequence[Finished]) -> list[Drawn]:
        if not finished:
            return []
        every = self.in_context(lambda: [self._render(each) for each in finished])
        for drawn in every:
            if drawn.failed:
                self._timing.failed(drawn.rendered.state.value)
        return every

    def _render(self, finished: Finished) -> Drawn:
        block, response = finished.block, finished.response
        context = RenderContext(
            block_id=block.id,
            title=block.title.in_language(self.reader.language),
            address=self.address_of(block),
            export_address=self.csv_address_of(block),
            page=self.reader.page,
            language=self.reader.language,
            time_zone=self.reader.time_zone,
            trace_id=current_trace_id(),
            trace_address=trace_address(),
        )
        rendered = _guarded(block, response, context)
        return Drawn(block, response, rendered)


def _guarded(
    block: Block, response: BlockResponse, context: RenderContext
) -> RenderedBlock:
    """Render one block; a bug in a renderer costs this card only."""
    try:
        outcome, presentation = presented(block, response)
        return render_outcome(outcome, presentation, context)
    except Exception:
        logger.exception("Block %s could not be drawn.", block.id)
    failure = Failure(Reason.INTERNAL, messages.block_broken(), response.elapsed_ms)
    try:
        return render_outcome(failure, Presentation(Format.TEXT), context)
    except Exception:
        logger.exception("The failure of block %s could not be drawn.", block.id)
    return RenderedBlock(
        format_html("<p>{}</p>", messages.block_broken()), State.FAILED
    )


def presented(block: Block, response: BlockResponse) -> tuple[Outcome, Presentation]:
    """Find how a response looks; a failure needs no presentation of its own."""
    presentation = block.responses.get(response.name)
    if presentation is not None:
        return response.outcome, presentation
    if isinstance(response.outcome, Failure):
        return response.outcome, Presentation(Format.TEXT)
    message = messages.presentation_missing(response.name)
    failure = Failure(Reason.INTERNAL, message, response.elapsed_ms)
    return failure, Presentation(Format.TEXT)


def assets_of(blocks: Sequence[Block]) -> frozenset[str]:
    """Name the scripts that the responses of these blocks may need."""
    formats = {each.format for block in blocks for each in block.responses.values()}
    names = set()
    if Format.GRID in formats:
        names.add("grid")
    if Format.CHART in formats:
        names.add("chart-basic")
    return frozenset(names)
