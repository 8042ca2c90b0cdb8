"""Trying a table out: typed parameters and facts from what somebody wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from branching.operators import FactType
from connectors.outcomes import Json
from connectors.parameters import (
    Argument,
    ArgumentError,
    ParameterSpec,
    ParameterType,
    parse_arguments,
)


def parameter_specs(
    parameters: Mapping[str, ParameterType],
) -> tuple[ParameterSpec, ...]:
    """Return what a table takes; a choice is any text here, for the screen knows."""
    text = ParameterType.TEXT
    return tuple(
        ParameterSpec(name, text if kind is ParameterType.CHOICE else kind)
        for name, kind in parameters.items()
    )


def tried_parameters(
    parameters: Mapping[str, ParameterType], raw: Mapping[str, str]
) -> dict[str, Argument] | tuple[ArgumentError, ...]:
    """Parse parameters; those not given are left out."""
    parsed = parse_arguments(parameter_specs(parameters), raw)
    if isinstance(parsed, tuple):
        return parsed
    return {name: value for name, value in parsed.items() if value is not None}


def tried_facts(
    types: Mapping[str, FactType], raw: Mapping[str, Json]
) -> dict[str, Argument] | tuple[ArgumentError, ...]:
    """Parse values to try instead of those that would be read; None tries null."""
    specs = [
        ParameterSpec(key, ParameterType(kind.value)) for key, kind in types.items()
    ]
    given: dict[str, Any] = {key: v for key, v in raw.items() if v is not None}
    parsed = parse_arguments(specs, given)
    if isinstance(parsed, tuple):
        return parsed
    nulls = {key: None for key, v in raw.items() if v is None and key in types}
    return {key: value for key, value in parsed.items() if key in given} | nulls
