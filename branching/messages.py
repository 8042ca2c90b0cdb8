"""The words of this app: rule ids and values in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from branching.choices import Decision, RuleTrace, Verdict
from branching.conditions import Condition, as_text

REFUSALS: Mapping[str, object] = {
    "no-value": gettext_lazy("This operator takes no value; remove %(found)s."),
    "value-missing": gettext_lazy("This operator needs a value."),
    "not-json": gettext_lazy("%(found)s is not a JSON list. Write values with commas."),
    "literal-type": gettext_lazy("%(found)s is not of the type %(expected)s."),
    "two-values": gettext_lazy("Give two values with a comma, such as 1, 10."),
    "empty-range": gettext_lazy("No value lies between %(found)s: swap the two."),
    "binding": gettext_lazy(
        "%(found)s is neither a plain value nor a binding such as "
        '{"parameter": "site"}.'
    ),
    "label": gettext_lazy(
        'Give the name by language, such as {"ko": "주문", "en": "Orders"}.'
    ),
    "parameters": gettext_lazy(
        'Give a type for each name, such as {"site": "text"}. Types: %(expected)s.'
    ),
    "arguments": gettext_lazy('Give a value for each name, such as {"days": 7}.'),
    "unknown-fact": gettext_lazy("There is no fact %(found)s.%(nearest)s"),
    "unknown-parameter": gettext_lazy(
        "The table has no parameter %(found)s.%(nearest)s Add it to the table's "
        "parameters first."
    ),
    "unknown-attribute": gettext_lazy(
        "There is no attribute %(found)s.%(nearest)s Known: %(expected)s."
    ),
    "unknown-operation": gettext_lazy("There is no operation %(found)s.%(nearest)s"),
    "unknown-argument": gettext_lazy(
        "The operation takes no argument %(found)s.%(nearest)s"
    ),
    "fact-parameter": gettext_lazy(
        "The fact %(found)s needs the parameter %(expected)s, which the table lacks."
    ),
    "operator-type": gettext_lazy(
        "This operator is not for the type %(found)s. Allowed: %(expected)s."
    ),
    "ignore-case": gettext_lazy("Only comparisons of texts can ignore case."),
    "secret-argument": gettext_lazy(
        "The fact %(found)s is secret and may not be sent as an argument."
    ),
    "binding-kind": gettext_lazy(
        "Only values and these bindings are allowed here: %(expected)s."
    ),
    "fact-model": gettext_lazy(
        "Facts may not read %(found)s. Allowed by SIGNALBOX_FACT_MODELS: %(expected)s."
    ),
    "fact-field": gettext_lazy(
        "Facts may not read the field %(found)s. Allowed: %(expected)s."
    ),
    "fact-filter": gettext_lazy(
        "%(found)s is not a filter. Write [field, operator, value], with one of: "
        "%(expected)s."
    ),
    "fact-type": gettext_lazy("That is read as %(found)s; choose it as the type."),
    "fact-aggregate": gettext_lazy(
        "A field of the type %(found)s has no %(expected)s."
    ),
    "fact-zero": gettext_lazy("A date has no zero. Choose another value for nothing."),
    "fact-column": gettext_lazy("Name the column."),
    "fact-sql": gettext_lazy("%(found)s is not a SQL operation."),
    "fallback-list": gettext_lazy("Give a list of at most three steps."),
    "fallback-step": gettext_lazy("Step %(found)s: expected %(expected)s."),
}
"""Why a definition was refused when it was saved."""

PROBLEMS: Mapping[str, object] = {
    "not-met": gettext_lazy("does not hold"),
    "missing": gettext_lazy("there is no value"),
    "wrong-type": gettext_lazy("the value has another type"),
    "argument": gettext_lazy("its call needs a fact that could not be read"),
    "disabled": gettext_lazy("the rule is off"),
    "empty-group": gettext_lazy("the group has no condition"),
    "not-read": gettext_lazy("the fact was not read"),
    "no-such-fact": gettext_lazy("there is no such fact"),
    "not-allowed": gettext_lazy("SIGNALBOX_FACT_MODELS does not allow it"),
    "parameter-missing": gettext_lazy("a parameter it needs has no value"),
    "empty": gettext_lazy("nothing was found"),
    "database": gettext_lazy("the database refused the query"),
    "operation-missing": gettext_lazy("there is no such operation"),
    "operation-timeout": gettext_lazy("the operation did not answer in time"),
    "operation-failed": gettext_lazy("the operation failed"),
    "column-missing": gettext_lazy("the answer has no such column"),
}
"""Why a rule did not match, and why a fact could not be read."""

NOTES: Mapping[str, object] = {
    "unique-violated": gettext_lazy(
        "More than one rule matched under the policy unique, so the default answered."
    ),
}

VERDICTS: Mapping[Verdict, object] = {
    Verdict.MATCHED: gettext_lazy("matches"),
    Verdict.NOT_MATCHED: gettext_lazy("does not match"),
    Verdict.UNKNOWN: gettext_lazy("unknown"),
}

OPERATORS: Mapping[str, object] = {
    "eq": gettext_lazy("equals"),
    "ne": gettext_lazy("differs from"),
    "in": gettext_lazy("is one of"),
    "not_in": gettext_lazy("is none of"),
    "contains": gettext_lazy("contains"),
    "starts_with": gettext_lazy("starts with"),
    "ends_with": gettext_lazy("ends with"),
    "lt": gettext_lazy("is less than"),
    "le": gettext_lazy("is at most"),
    "gt": gettext_lazy("is greater than"),
    "ge": gettext_lazy("is at least"),
    "between": gettext_lazy("is between"),
    "is_true": gettext_lazy("is yes"),
    "is_false": gettext_lazy("is no"),
    "exists": gettext_lazy("has a value"),
    "missing": gettext_lazy("has no value"),
    "contains_any": gettext_lazy("has one of"),
    "contains_all": gettext_lazy("has all of"),
    "is_empty": gettext_lazy("is an empty list"),
}


def refusal(rule: str, **values: str) -> str:
    """Say why a definition was refused.

    Args:
        values: ``found``, ``expected`` and ``nearest`` (a known name, or "").
    """
    nearest = values.get("nearest")
    hint = " " + _("Did you mean %s?") % nearest if nearest else ""
    filled = {"found": "", "expected": "", **values, "nearest": hint}
    return str(REFUSALS[rule]) % filled


def problem(rule: str) -> str:
    """Say why something could not be told."""
    return str(PROBLEMS.get(rule, rule))


def note(rule: str) -> str:
    return str(NOTES.get(rule, rule))


def condition_words(condition: Condition, *, negated: bool = False) -> str:
    """Write a condition for people, such as ``plan equals pro``."""
    operator = OPERATORS.get(condition.operator, condition.operator)
    words = f"{condition.operand.name} {operator}"
    if condition.value is not None:
        words = f"{words} {as_text(condition.value)}"
    return _("not (%s)") % words if negated else words


def rule_words(trace: RuleTrace) -> str:
    """Say in one line what became of a rule and why."""
    if trace.verdict is Verdict.MATCHED:
        return str(VERDICTS[trace.verdict])
    because = problem(trace.why)
    if trace.failed is None:
        return f"{VERDICTS[trace.verdict]}: {because}"
    condition = condition_words(trace.failed, negated=trace.negated)
    line = f"{VERDICTS[trace.verdict]}: {condition} — {because}"
    if trace.found:
        return line + " " + _("(found %s)") % trace.found
    return line


def decision_words(decision: Decision) -> str:
    """Say in one line which rule answered."""
    if decision.rule == "default":
        return _("No rule matched, so the default answered.")
    return _("Rule %s answered.") % decision.rule
