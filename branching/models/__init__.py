"""Facts, decision tables, their rules and the conditions of each rule."""

from branching.models.facts import Fact
from branching.models.rules import Condition, Rule
from branching.models.tables import DecisionTable

__all__ = ["Condition", "DecisionTable", "Fact", "Rule"]
