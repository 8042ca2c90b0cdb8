"""The public verbs: load operations, perform one, give back its last good answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language

from connectors import (
    bodies,
    http,
    http_request,
    last_good_store,
    loop,
    messages,
    personal_fields,
    sql_engines,
)
from connectors.data_sources import SUSPENDED
from connectors.failures import CallFailed
from connectors.loop import Engine, PoolFull, engine
from connectors.masking import masked
from connectors.models import Operation
from connectors.outcomes import Failure, Outcome, Reason, Success, Table
from connectors.parameters import Argument, ArgumentError, Raw, parse_arguments
from connectors.portal import run_series
from connectors.query_role_checks import role_reports, unverified_sources
from connectors.resilience import Circuits, Result
from connectors.reveals import (
    LiveReveal,
    NotRevealed,
    exportable,
    hide,
    live_reveals,
    record_export,
    reveal,
    revealable,
)
from connectors.reviewing import review_section
from connectors.sending import Message, Sent, send
from connectors.specs import OperationSpec, SourceKind
from connectors.sql import run_query
from connectors.stored_specs import load_specs
from observability.services import measure
from tenants.metering import meter, resets_at
from tenants.quotas import Level
from tenants.scope import Actor, WrongTenant, using_tenant

__all__ = [
    "LiveReveal",
    "Message",
    "NotRevealed",
    "Sent",
    "call_operation",
    "exportable",
    "hide",
    "last_good",
    "live_reveals",
    "load_operations",
    "missing_operation",
    "operation_keys",
    "perform",
    "record_export",
    "reveal",
    "revealable",
    "review_section",
    "role_reports",
    "send",
    "shut_down",
    "unverified_sources",
    "with_reserved",
]

circuits = Circuits()
logger = logging.getLogger(__name__)

# What went wrong outside; what a reader typed wrong is told to the reader alone.
_WORTH_A_LINE = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CIRCUIT_OPEN,
        Reason.UPSTREAM,
        Reason.UNREADABLE,
        Reason.DENIED,
        Reason.INTERNAL,
    }
)
_FEW_ROWS = 200  # masking more than this would hold up every other call, too
_LARGE_BODY = 64 * 1024  # decoding more than this would hold up every other call


def load_operations(keys: Iterable[str], *, actor: Actor) -> dict[str, OperationSpec]:
    """Return the actor's enabled operations among `keys`, ready to be performed.

    One query, or up to five after a change, however many keys; unknown and disabled
    ones are absent.
    """
    with using_tenant(actor.tenant_id):
        return load_specs(keys)


def operation_keys(*, actor: Actor) -> dict[str, str]:
    """Return the label of every enabled operation by key, for editors and checks."""
    language = get_language() or "ko"
    with using_tenant(actor.tenant_id):
        rows = Operation.objects.enabled().values_list("key", "label")
        return {key: label.get(language) or key for key, label in rows}


def call_operation(
    key: str,
    *,
    arguments: Mapping[str, Raw],
    actor: Actor,
    deadline: float | None = None,
) -> Outcome:
    """Call the actor's operation `key` and wait for its outcome.

    Args:
        deadline: ``time.monotonic()`` seconds after which nothing is awaited; the
            operation's own timeout when None.
    """
    spec = load_operations([key], actor=actor).get(key)
    if spec is None:
        return missing_operation(key)
    until = time.monotonic() + spec.timeout_ms / 1000 if deadline is None else deadline
    return engine().run(perform(spec, arguments=arguments, actor=actor, deadline=until))


def missing_operation(key: str) -> Failure:
    """Say that the tenant has no such enabled operation."""
    text = messages.failure_text("missing", {"operation": key})
    return Failure(Reason.MISSING, text, 0.0)


async def perform(
    spec: OperationSpec,
    *,
    arguments: Mapping[str, Raw],
    actor: Actor,
    deadline: float,
    reveal: bool = False,
) -> Outcome:
    """Perform an operation before `deadline`, or say why not.

    Runs on the engine's loop. An expected failure is returned, a bug is raised.

    Args:
        arguments: Texts or typed values by parameter name.
        deadline: ``time.monotonic()`` seconds after which nothing is awaited.
        reveal: Leave personal values as they are; the caller holds a reveal of this
            operation (`connectors.reveals`). They are masked otherwise.

    Raises:
        WrongTenant: the operation belongs to another tenant than the actor: a bug.
    """
    if spec.source.tenant_id != actor.tenant_id:
        raise WrongTenant(f"Operation {spec.key} belongs to another tenant.")
    started = time.monotonic()
    until = min(deadline, started + spec.timeout_ms / 1000)
    with measure("operation", key=spec.key, tenant=str(actor.tenant_id)) as timing:
        try:
            outcome = await _performed(spec, arguments, actor, until, reveal)
        except CallFailed as failed:
            outcome = _failure(spec, failed)
        except PoolFull:
            words = messages.failure_text("pool-full", {"operation": spec.key})
            outcome = Failure(Reason.REFUSED, words, 0.0)
        if isinstance(outcome, Failure):
            timing.failed(outcome.reason.value)
            if outcome.reason in _WORTH_A_LINE:
                # In the reader's language, as on the card: who asks shows the card.
                logger.warning("%s: %s", spec.key, outcome.message)
        return replace(outcome, elapsed_ms=_ms_since(started))


async def last_good(
    spec: OperationSpec,
    *,
    arguments: Mapping[str, Raw],
    actor: Actor,
    max_age_s: float,
) -> Success | None:
    """Return the last good answer to the same call, when it is young enough.

    Its origin is ``LAST_GOOD`` and its ``as_of`` says when it was true.
    """
    started = time.monotonic()
    values = parse_arguments(spec.parameters, arguments)
    if isinstance(values, tuple) or not spec.keep_last_good_s:
        return None
    if spec.source.fault == SUSPENDED:
        return None
    name = last_good_store.name_of(spec, values, actor)
    try:
        kept = await Engine.current().in_pool(lambda: last_good_store.read(name))
    except PoolFull:
        return None
    if kept is None or (datetime.now(UTC) - kept.as_of).total_seconds() > max_age_s:
        return None
    return replace(kept, elapsed_ms=_ms_since(started))


async def _performed(
    spec: OperationSpec,
    arguments: Mapping[str, Raw],
    actor: Actor,
    until: float,
    reveal: bool,
) -> Outcome:
    values = parse_arguments(spec.parameters, arguments)
    if isinstance(values, tuple):
        raise _invalid(spec, values)
    if spec.source.fault:
        raise CallFailed(Reason.REFUSED, spec.source.fault)
    if until <= time.monotonic():
        raise CallFailed(Reason.TIMEOUT, "timeout-late")
    if level := meter.over(actor.tenant_id):
        raise _used_up(level)
    outcome = await _guarded(spec, values, actor, until)
    hidden = outcome
    if isinstance(outcome, Success) and spec.may_be_personal:
        outcome, hidden = await _with_masks(outcome, spec)
    if isinstance(hidden, Success) and spec.keep_last_good_s:
        await _keep(spec, values, actor, hidden)  # never a value that was revealed
    return outcome if reveal else hidden


async def _with_masks(good: Success, spec: OperationSpec) -> tuple[Outcome, Outcome]:
    """Return an answer with its personal columns marked, and the same masked."""

    def both() -> tuple[Outcome, Outcome]:
        told = good
        if isinstance(good.data, Table):
            told = replace(good, data=personal_fields.marked(good.data, spec))
        return told, masked(told, whole_text=True)

    small = isinstance(good.data, Table) and len(good.data.rows) <= _FEW_ROWS
    return both() if small else await Engine.current().in_pool(both)


async def _keep(
    spec: OperationSpec, values: Mapping[str, Argument], actor: Actor, good: Success
) -> None:
    name = last_good_store.name_of(spec, values, actor)
    seconds = spec.keep_last_good_s
    try:
        await Engine.current().in_pool(
            lambda: last_good_store.write(name, good, seconds=seconds)
        )
    except PoolFull:
        return  # an answer that is not kept is still an answer


async def _guarded(
    spec: OperationSpec, values: Mapping[str, Argument], actor: Actor, until: float
) -> Outcome:
    """Call through the circuit breaker of the data source."""
    source = spec.source
    name = (source.tenant_id, source.key)
    given = circuits.permit(name)
    if given is None:
        seconds = round(circuits.rules.open_wait_s)
        raise CallFailed(Reason.CIRCUIT_OPEN, "circuit-open", seconds=seconds)
    result = Result.IGNORED
    tenant = str(source.tenant_id)
    try:
        with measure("data_source", key=source.key, tenant=tenant) as timing:
            try:
                outcome = await _counted(spec, values, actor, until)
            except CallFailed as failed:
                result = _result(failed.reason, failed.status)
                timing.failed(failed.reason.value)
                raise
            if isinstance(outcome, Failure):
                result = _result(outcome.reason, outcome.status)
                timing.failed(outcome.reason.value)
            else:
                result = Result.GOOD
            return outcome
    finally:
        circuits.settle(name, given, result)


def _result(reason: Reason, status: int | None) -> Result:
    """Say what a failure tells about the health of the data source."""
    if reason is Reason.TIMEOUT:
        return Result.BAD
    if reason is Reason.UPSTREAM:
        return Result.BAD if status is None or status >= 500 else Result.GOOD
    if reason in {Reason.DENIED, Reason.UNREADABLE}:
        return Result.GOOD  # it answered
    return Result.IGNORED


async def _counted(
    spec: OperationSpec, values: Mapping[str, Argument], actor: Actor, until: float
) -> Outcome:
    """Call, and count the query and its rows for the tenant's quota."""
    meter.count(actor.tenant_id, queries=1)
    outcome = await _called(spec, values, actor, until)
    if isinstance(outcome, Success) and isinstance(outcome.data, Table):
        meter.count(actor.tenant_id, rows=len(outcome.data.rows))
    return outcome


async def _called(
    spec: OperationSpec, values: Mapping[str, Argument], actor: Actor, until: float
) -> Outcome:
    match spec.kind:
        case SourceKind.HTTP:
            return await _request(spec, values, actor, until)
        case SourceKind.SQL:
            return await run_query(
                spec, arguments=values, actor=actor, deadline=until, row_limit=None
            )
        case SourceKind.PORTAL:
            return await run_series(spec, arguments=values, actor=actor, deadline=until)
    assert_never(spec.kind)


async def _request(
    spec: OperationSpec, values: Mapping[str, Argument], actor: Actor, until: float
) -> Outcome:
    request = http_request.build_request(spec, with_reserved(spec, values, actor))
    answer = await http.exchange(request, spec.source, deadline=until)

    def read() -> tuple[Table | str, tuple[str, ...]]:
        return bodies.read_body(
            answer.body,
            spec,
            content_type=answer.content_type,
            charset=answer.charset,
        )

    large = len(answer.body) > _LARGE_BODY
    data, notes = await Engine.current().in_pool(read) if large else read()
    now = datetime.now(UTC)
    return Success(data, status=answer.status, as_of=now, elapsed_ms=0.0, notes=notes)


def shut_down() -> None:
    """Stop this process's engine and close its database pools.

    For a server's own hook: at the interpreter's exit threads are joined first.
    """
    loop.shutdown()
    sql_engines.dispose_all()


def with_reserved(
    spec: OperationSpec, values: Mapping[str, Argument], actor: Actor
) -> dict[str, Argument]:
    """Add what templates may ask for besides arguments: ``tenant`` and ``user``."""
    return {**values, "tenant": spec.source.tenant_key, "user": actor.user_id}


def _invalid(spec: OperationSpec, errors: tuple[ArgumentError, ...]) -> CallFailed:
    words = " ".join(messages.argument_error(error) for error in errors)
    return CallFailed(Reason.INVALID, "invalid", operation=spec.key, errors=words)


def _used_up(level: Level) -> CallFailed:
    resets = timezone.localtime(resets_at())
    return CallFailed(
        Reason.REFUSED,
        f"quota-{level.limit}",
        used=f"{level.used:,}",
        allowed=f"{level.allowed:,}",
        resets=date_format(resets, "SHORT_DATETIME_FORMAT"),
    )


def _failure(spec: OperationSpec, failed: CallFailed) -> Failure:
    values = {"source": spec.source.key, **failed.values, "status": failed.status}
    text = messages.failure_text(failed.rule, values)
    return Failure(failed.reason, text, 0.0, failed.status)


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
