"""``decide TABLE --tenant T``: what a decision table chooses, and why."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from branching.choices import Decision
from branching.definitions import parse_parameters
from branching.literals import LiteralRefused, stored
from branching.messages import decision_words, note, problem, rule_words
from branching.models import DecisionTable
from branching.services import choose_response, fact_types
from branching.trials import tried_facts, tried_parameters
from connectors.messages import argument_error
from connectors.parameters import Argument, ArgumentError, as_text
from tenants.models import Tenant, User
from tenants.scope import Actor, using_tenant

NOTHING_DECIDED = 2
FACT_FAILED = 1


class Command(BaseCommand):
    help = (
        "Decide by one table and say why; nothing is called. Exit status 0: decided; "
        "1: decided although a fact could not be read; 2: nothing decided."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("table", metavar="TABLE", help="key of the decision table")
        parser.add_argument("--tenant", required=True, help="key of the tenant")
        parser.add_argument("--user", default="", help="user name to decide for")
        parser.add_argument(
            "--arg",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="one parameter of the table; may be repeated",
        )
        parser.add_argument(
            "--facts", metavar="FILE", help="JSON object of facts to use instead"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, table: str, **options: Any) -> None:
        actor = _actor(options["tenant"], options["user"])
        with using_tenant(actor.tenant_id):
            row = DecisionTable.objects.filter(key=table).first()
        if row is None:
            raise _refused(f"No such decision table: {table}.")
        arguments = _checked(tried_parameters(_parameters(row), _pairs(options["arg"])))
        overrides = _checked(
            tried_facts(fact_types(table, actor=actor), _facts(options["facts"]))
        )
        decision = _decided(table, arguments, overrides, actor)
        if options["json"]:
            text = json.dumps(as_json(decision), ensure_ascii=False, indent=2)
            self.stdout.write(text)
        else:
            self._print(decision)
        if decision.trace.problems:
            raise SystemExit(FACT_FAILED)

    def _print(self, decision: Decision) -> None:
        self.stdout.write(decision_words(decision))
        self.stdout.write(f"response: {decision.response}")
        for call in decision.calls:
            arguments = " ".join(f"{n}={as_text(v)}" for n, v in call.arguments.items())
            self.stdout.write(f"call: {call.operation} {arguments}".rstrip())
        for trace in decision.trace.rules:
            self.stdout.write(f"rule {trace.rule}: {rule_words(trace)}")
        for key, value in decision.trace.facts.items():
            said = problem(decision.trace.problems.get(key, "")) or value
            self.stdout.write(f"fact {key}: {said} ({decision.trace.sources[key]})")
        for rule in decision.trace.notes:
            self.stdout.write(note(rule))


def _refused(message: str) -> CommandError:
    return CommandError(message, returncode=NOTHING_DECIDED)


def _actor(tenant_key: str, username: str) -> Actor:
    tenant = Tenant.objects.filter(key=tenant_key).first()
    if tenant is None:
        raise _refused(f"No such tenant: {tenant_key}.")
    if not username:
        return Actor(user_id=0, tenant_id=tenant.pk)
    members = User.objects.filter(memberships__tenant=tenant)
    user = members.filter(username=username).first()
    if user is None:
        raise _refused(f"{tenant_key} has no member named {username}.")
    return Actor(user_id=user.pk, tenant_id=tenant.pk)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise _refused(f"--arg {text}: write NAME=VALUE.")
        pairs[name] = value
    return pairs


def _facts(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise _refused(f"{path} is not JSON in UTF-8.") from None
    if not isinstance(read, dict):
        raise _refused(f"{path} must hold one JSON object of facts.")
    return read


def _parameters(row: DecisionTable) -> Any:
    try:
        return parse_parameters(row.parameters)
    except LiteralRefused:
        raise _refused(f"{row.key} has parameters that cannot be read.") from None


def _checked(
    parsed: dict[str, Argument] | tuple[ArgumentError, ...],
) -> dict[str, Argument]:
    if isinstance(parsed, tuple):
        raise _refused("\n".join(argument_error(error) for error in parsed))
    return parsed


def _decided(
    table: str,
    arguments: dict[str, Argument],
    overrides: dict[str, Argument],
    actor: Actor,
) -> Decision:
    try:
        return choose_response(
            table, arguments=arguments, actor=actor, overrides=overrides
        )
    except DecisionTable.DoesNotExist:
        text = f"The definition of {table} cannot be read. Save it again."
        raise _refused(text) from None


def as_json(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON: rule, calls, response, fallbacks and why."""
    trace = decision.trace
    return {
        "table": decision.table,
        "rule": decision.rule,
        "response": decision.response,
        "calls": [
            {
                "operation": call.operation,
                "arguments": {name: stored(v) for name, v in call.arguments.items()},
            }
            for call in decision.calls
        ],
        "fallbacks": [
            {"on": sorted(step.on), "kind": step.kind, "response": step.response}
            for step in decision.fallbacks
        ],
        "rules": [
            {
                "rule": each.rule,
                "verdict": each.verdict,
                "condition": each.condition,
                "found": each.found,
                "why": each.why,
            }
            for each in trace.rules
        ],
        "facts": {
            key: {
                "value": text,
                "source": trace.sources[key],
                "problem": trace.problems.get(key, ""),
            }
            for key, text in trace.facts.items()
        },
        "notes": list(trace.notes),
    }
