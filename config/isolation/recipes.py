"""What the fields of a model do not say about its canary.

A recipe gives the values that `filling` cannot guess: a choice that others depend on,
a pair of fields that goes together, a document that a page has to read. Whatever a
recipe leaves out is filled and marked by the kind of the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from django.utils import timezone

from config.isolation.filling import Rows
from connectors.models import DataSource
from observability.models import AlertChannel

Recipe: TypeAlias = Callable[[Rows], Mapping[str, Any]]


def _source(rows: Rows) -> Mapping[str, Any]:
    """A service that nobody can reach, so that nothing leaves; with a secret."""
    word = rows.marks.word("connectors.DataSource", "address")
    sealed = DataSource()
    sealed.set_secret(rows.marks.word("connectors.DataSource", "secret"))
    return {
        "kind": "http",
        "address": f"https://{word}.invalid/",
        "secret": sealed.secret,
        "secret_hint": sealed.secret_hint,
        "headers": {"X-Mark": rows.marks.word("connectors.DataSource", "headers")},
    }


def _fact(rows: Rows) -> Mapping[str, Any]:
    return {
        "kind": "orm",
        "type": "text",
        "model": "demo.Subscription",
        "aggregate": "first",
        "field": "plan",
        "operation": "",
        "column": "",
    }


def _decision_table(rows: Rows) -> Mapping[str, Any]:
    key = rows.first("connectors.Operation").key
    return {"default_operation": key, "default_response": "default"}


def _rule(rows: Rows) -> Mapping[str, Any]:
    key = rows.first("connectors.Operation").key
    return {"operation": key, "response": "default"}


def _condition(rows: Rows) -> Mapping[str, Any]:
    word = rows.marks.word("branching.Condition", "value")
    return {
        "operand": "fact",
        "name": rows.first("branching.Fact").key,
        "operator": "eq",
        "value": word,
        "group": "",
    }


def _parameter(rows: Rows) -> Mapping[str, Any]:
    """Never declared on an operation that runs without being asked for it."""
    return {"minimum": "", "maximum": "", "type": "text"}


def _objective(rows: Rows) -> Mapping[str, Any]:
    return {"kind": "page", "target": Decimal("99.9"), "threshold_ms": None}


def _alert_rule(rows: Rows) -> Mapping[str, Any]:
    return {
        "type": "burn",
        "pace": "fast",
        "kind": "",
        "measured_key": "",
        "metric": "",
        "limit": None,
    }


def _alert(rows: Rows) -> Mapping[str, Any]:
    now = timezone.now()
    return {"phase": "firing", "opened_at": now, "fired_at": now}


def _silence(rows: Rows) -> Mapping[str, Any]:
    return {
        "objective": None,
        "kind": "",
        "measured_key": "",
        "ends_at": timezone.now() + timedelta(hours=1),
    }


def _channel(rows: Rows) -> Mapping[str, Any]:
    channel = AlertChannel()
    channel.put_secret(rows.marks.word("observability.AlertChannel", "secret"))
    word = rows.marks.word("observability.AlertChannel", "url")
    return {
        "kind": "webhook",
        "url": f"https://{word}.invalid/hook",
        "secret": channel.secret,
        "recipients": "",
        "enabled": False,
    }


def _delivery(rows: Rows) -> Mapping[str, Any]:
    """One that is given up, so that no task ever sends it."""
    return {"event": "fired", "state": "dead"}


def _suggestion(rows: Rows) -> Mapping[str, Any]:
    return {
        "engine": "grammar",
        "kind": "proposal",
        "rule": "",
        "basis": "",
        "base_version": 1,
    }


def _by_grammar(rows: Rows) -> Mapping[str, Any]:
    return {"engine": "grammar"}


def _subscription(rows: Rows) -> Mapping[str, Any]:
    return {
        "plan": "free",
        "seats": rows.marks.number("demo.Subscription", "seats"),
    }


def _sign_in(label: str) -> Recipe:
    return lambda rows: {"username": rows.marks.word(label, PORTAL[label])}


def _task(rows: Rows) -> Mapping[str, Any]:
    """One that has failed, so that no worker takes it up."""
    return {"status": "FAILED", "args_kwargs": {"args": [], "kwargs": {}}}


def _heartbeat(rows: Rows) -> Mapping[str, Any]:
    word = rows.marks.word("observability.Heartbeat", "role")
    return {"role": word, "expires_at": timezone.now()}


def _log_level(rows: Rows) -> Mapping[str, Any]:
    """Of a logger that nothing logs to."""
    return {"level": 30, "until": timezone.now() + timedelta(hours=1)}


# Models of the whole portal, which superusers alone may see, with the field by which
# a canary of them is known again. Their rows are as foreign to staff as another's.
PORTAL: Mapping[str, str] = {
    "axes.AccessAttempt": "username",
    "axes.AccessFailureLog": "username",
    "axes.AccessLog": "username",
    "django_tasks_database.DBTaskResult": "task_path",
    "observability.Heartbeat": "role",
    "observability.LogLevel": "logger",
}
RECIPES: Mapping[str, Recipe] = {
    **{label: _sign_in(label) for label in PORTAL if label.startswith("axes.")},
    "branching.Condition": _condition,
    "branching.DecisionTable": _decision_table,
    "branching.Fact": _fact,
    "branching.Rule": _rule,
    "connectors.DataSource": _source,
    "connectors.Parameter": _parameter,
    "copilot.Calibration": _by_grammar,
    "copilot.EvaluationRun": _by_grammar,
    "copilot.Suggestion": _suggestion,
    "demo.Subscription": _subscription,
    "django_tasks_database.DBTaskResult": _task,
    "observability.Alert": _alert,
    "observability.AlertChannel": _channel,
    "observability.AlertRule": _alert_rule,
    "observability.Delivery": _delivery,
    "observability.Heartbeat": _heartbeat,
    "observability.LogLevel": _log_level,
    "observability.Objective": _objective,
    "observability.Silence": _silence,
}
