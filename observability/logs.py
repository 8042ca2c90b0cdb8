"""Log lines: one JSON object each for machines, or one short line for a terminal.

A line is stamped with trace, tenant and user, and carries no secret. Formatting
never raises, whatever is logged.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from observability.labels import current_labels
from observability.redaction import redact, redact_text, safe_text
from observability.tracing import current_trace_id
from tenants.scope import active_tenant_id

if TYPE_CHECKING:
    from django.http import HttpRequest

current_request: ContextVar[HttpRequest | None] = ContextVar(
    "signalbox_request", default=None
)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    # Django adds these; the trace id leads to the request.
    "request",
    "server_time",
    "status_code",
}


def user_hash() -> str:
    """Return twelve digits that stand for the user of this request, "" for nobody.

    Only a user who was loaded already is known: a log line runs no query.
    """
    request = current_request.get()
    user = getattr(request, "_cached_user", None)
    pk = getattr(user, "pk", None)
    return _hashed(str(pk)) if pk is not None else ""


@lru_cache(maxsize=1_000)
def _hashed(pk: str) -> str:
    from django.utils.crypto import salted_hmac

    return salted_hmac("observability.user", pk, algorithm="sha256").hexdigest()[:12]


class _Formatter(logging.Formatter):
    def said(self, record: logging.LogRecord) -> str:
        """Return the message; a wrong format or an odd object is told, not raised."""
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001 - see the docstring
            text = f"{safe_text(record.msg)} (unreadable: {type(error).__name__})"
        return redact_text(text)

    def raised(self, record: logging.LogRecord) -> str:
        """Return the exception with its stack, "" when there is none."""
        if not record.exc_info or record.exc_info[0] is None:
            return ""
        try:
            text = self.formatException(record.exc_info)
        except Exception as error:  # noqa: BLE001 - __str__ of an exception may raise
            text = f"{record.exc_info[0].__name__} (unreadable: {type(error).__name__})"
        return redact_text(text)


class JsonFormatter(_Formatter):
    """One JSON object a line; keys without a value are left out."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, tz=UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.said(record),
            "trace_id": current_trace_id(),
            "tenant": str(active_tenant_id() or ""),
            "user": user_hash(),
            **{kind: redact_text(key) for kind, key in current_labels().items()},
            "exception": self.raised(record),
        }
        line = {name: value for name, value in line.items() if value != ""}
        line.update(
            (name, value) for name, value in extras(record).items() if name not in line
        )
        return json.dumps(line, ensure_ascii=False, default=safe_text)


def extras(record: logging.LogRecord) -> dict[str, object]:
    """Return what was given as ``extra``, as JSON values without secrets."""
    return {
        name: redact(name, value)
        for name, value in vars(record).items()
        if name not in _STANDARD
    }


class Caught(NamedTuple):
    """One line with everything around it, without secrets, and no longer a record.

    Attributes:
        created: Seconds since 1970.
        status: The status of a request or of what was measured; "" for none.
        labels: Key of everything that was being measured, by kind.
        data: What was given as ``extra``.
    """

    created: float
    level: int
    logger: str
    message: str
    exception: str
    status: str
    trace_id: str
    tenant_id: int | None
    user: str
    labels: dict[str, str]
    data: dict[str, object]


_formatter = _Formatter()


def caught(record: logging.LogRecord) -> Caught:
    """Take from a record and its context what is worth keeping. Never raises."""
    data = extras(record)
    measured = data.get("measured")
    status = getattr(record, "status_code", "")
    if isinstance(measured, dict):
        status = status or measured.get("status", "")
    return Caught(
        created=record.created,
        level=record.levelno,
        logger=safe_text(record.name),
        message=_formatter.said(record),
        exception=_formatter.raised(record),
        status=redact_text(safe_text(status)),
        trace_id=current_trace_id(),
        tenant_id=active_tenant_id(),
        user=user_hash(),
        labels={kind: redact_text(key) for kind, key in current_labels().items()},
        data=data,
    )


class TextFormatter(_Formatter):
    """One line for people: time, level, message, logger, start of the trace id."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone()
        trace = current_trace_id()[:8]
        line = (
            f"{moment:%H:%M:%S} {record.levelname:<7} {self.said(record)}"
            f"  [{record.name}{' ' + trace if trace else ''}]"
        )
        raised = self.raised(record)
        return f"{line}\n{raised}" if raised else line
