"""Spans in memory, until the trace they belong to ends and shows what it is worth.

Whether a trace is worth keeping is known when it ends: it failed, or it was slow. So
its spans are held, sampled or not, until its root ends, and are handed on only when it
is kept. A held span is a few attributes; secrets are taken out by who stores or sends
it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from opentelemetry import trace

from observability.redaction import HIDDEN, is_secret_name, redact_text

KIND, KEY, TENANT = "signalbox.kind", "signalbox.key", "signalbox.tenant"
IDS = 1 << 64
MOST_SPANS = 200
MOST_OPEN = 500
LONGEST_HELD_S = 60.0
_lock = threading.Lock()


def _shown(name: str, value: str | int) -> str | int:
    if is_secret_name(name):
        return HIDDEN
    return redact_text(value) if isinstance(value, str) else value


class Kept(StrEnum):
    """Why a trace is kept; the first that holds."""

    ERROR = "error"
    SLOW = "slow"
    SAMPLED = "sampled"


class SpanRecord(NamedTuple):
    """One ended span, without secrets.

    Attributes:
        span_id: 16 hexadecimal digits, as is `parent_id`; "" for no parent.
        started_ns: Nanoseconds since 1970, as is `ended_ns`.
        reason: Why it failed; "" when it did not.
    """

    span_id: str
    parent_id: str
    name: str
    started_ns: int
    ended_ns: int
    reason: str
    attributes: dict[str, str | int]


class HeldSpan(trace.NonRecordingSpan):
    """A span that is part of a held trace."""

    def __init__(
        self, context: trace.SpanContext, *, held: Held, parent_id: int, name: str
    ) -> None:
        super().__init__(context)
        self.held = held
        self.parent_id = parent_id
        self.name = name
        self.started_ns = time.time_ns()
        self.ended_ns = 0
        self.reason = ""
        self.attributes: Mapping[str, str | int] = {}

    def record(self) -> SpanRecord:
        attributes = {name: _shown(name, it) for name, it in self.attributes.items()}
        reason = redact_text(self.reason)
        attributes["signalbox.status"] = "failed" if reason else "ok"
        if reason:
            attributes["error.type"] = reason
        return SpanRecord(
            f"{self.get_span_context().span_id:016x}",
            f"{self.parent_id:016x}" if self.parent_id else "",
            redact_text(self.name),
            self.started_ns,
            self.ended_ns,
            reason,
            attributes,
        )


class Held:
    """The part of one trace that this process sees, until its root ends.

    Attributes:
        spans: Those that ended, at most `MOST_SPANS`.
        left_out: How many ended beyond that.
        kept: Why it is kept; None while it runs, and when it is not.
    """

    def __init__(self, *, trace_id: int, sampled: bool) -> None:
        self.trace_id = f"{trace_id:032x}"
        self.sampled = sampled
        self.failed = False
        self.spans: list[HeldSpan] = []
        self.left_out = 0
        self.kept: Kept | None = None
        self.root: HeldSpan | None = None
        self.ended = False
        self.began = time.monotonic()

    def end(self, span: HeldSpan) -> None:
        if self.ended:
            return  # later than its root: nobody would see it
        self.failed = self.failed or bool(span.reason)
        if span is self.root:
            self.ended = True
            self.spans.append(span)
            Process.settle(self)
        elif len(self.spans) < MOST_SPANS - 1 and not self.given_up:
            self.spans.append(span)
        else:
            self.left_out += 1

    @property
    def given_up(self) -> bool:
        return Process.open.get(id(self)) is not self

    def give_up(self) -> None:
        """Forget the spans: the trace is open for too long, or too many are."""
        self.left_out += len(self.spans)
        self.spans = []

    def records(self) -> tuple[SpanRecord, ...]:
        """Return the spans in the order in which they ended, the root last."""
        return tuple(span.record() for span in self.spans)


Sink: TypeAlias = Callable[[Held], None]
Slow: TypeAlias = Callable[[str, str], float | None]


def _never_slow(kind: str, key: str) -> float | None:
    return None


class Process:
    """What this process does with traces: not asked yet, nothing, or hand them on."""

    asked = False
    make: Callable[[], Sequence[Sink]] = staticmethod(lambda: ())
    slow: Slow = staticmethod(_never_slow)
    share: Callable[[], float] = staticmethod(lambda: 0.0)
    sinks: Sequence[Sink] = ()
    bound = 0
    open: dict[int, Held] = {}
    given_up = 0

    @classmethod
    def settle(cls, held: Held) -> None:
        """Hand on a trace that has ended, when it is worth keeping."""
        with _lock:
            cls.open.pop(id(held), None)
        held.kept = _why_kept(held)
        if held.kept is not None:
            for sink in cls.sinks:
                sink(held)

    @classmethod
    def begin(cls, held: Held) -> None:
        with _lock:
            while cls.open:
                oldest = next(iter(cls.open.values()))
                age = held.began - oldest.began
                if len(cls.open) < MOST_OPEN and age < LONGEST_HELD_S:
                    break
                del cls.open[id(oldest)]
                oldest.give_up()
                cls.given_up += 1
            cls.open[id(held)] = held


def _why_kept(held: Held) -> Kept | None:
    root = held.root
    if root is None:
        return None
    if held.failed:
        return Kept.ERROR
    kind, key = (
        str(root.attributes.get(f"signalbox.{x}", "")) for x in ("kind", "key")
    )
    slow_us = Process.slow(kind, key)
    if slow_us is not None and (root.ended_ns - root.started_ns) / 1_000 >= slow_us:
        return Kept.SLOW
    return Kept.SAMPLED if held.sampled else None


def hand_to(
    make: Callable[[], Sequence[Sink]], *, slow: Slow, share: Callable[[], float]
) -> None:
    """Say who gets kept traces, and from when on one of a kind and key is slow.

    Args:
        make: Asked once a process, at its first trace. Without any sink nothing is
            held: there are trace ids and no spans.
        slow: Returns microseconds for a kind and key; None while too little is known.
        share: Returns the share of new traces that are kept whatever they are.
    """
    Process.make = staticmethod(make)
    Process.slow = staticmethod(slow)
    Process.share = staticmethod(share)
    reset()


def use_sinks(sinks: Sequence[Sink], *, share: float) -> None:
    """Hand kept traces to `sinks` from now on, and sample this share of new ones."""
    Process.bound = round(share * IDS)
    Process.sinks = sinks
    Process.asked = True


def given_up() -> int:
    """Return how many traces this process held for too long, or too many at once."""
    return Process.given_up


def reset() -> None:
    """Ask again at the next span who gets traces; what is held is forgotten."""
    global _lock  # noqa: PLW0603 - the parent of a child may have held it
    _lock = threading.Lock()
    Process.sinks = ()
    Process.open = {}
    Process.asked = False


os.register_at_fork(after_in_child=reset)


def sinks() -> Sequence[Sink]:
    if not Process.asked:
        use_sinks(Process.make(), share=Process.share())
    return Process.sinks
