"""The shapes of the readers' API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from connectors.parameters import ParameterType
from menus.visibility import Kind

_Serializer = serializers.Serializer[Any]


class MenuSerializer(_Serializer):
    """One visible menu; the list is in tree order."""

    slug = serializers.SlugField(read_only=True)
    parent = serializers.SlugField(  # type: ignore[assignment]
        read_only=True,
        allow_null=True,
        help_text="Slug of the menu above, or null.",
    )
    depth = serializers.IntegerField(read_only=True, min_value=0)
    kind = serializers.ChoiceField(
        choices=[kind.value for kind in Kind], read_only=True
    )
    name = serializers.CharField(
        read_only=True, help_text="In the language of the request."
    )
    label = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), read_only=True, help_text="Name by language."
    )
    icon = serializers.CharField(read_only=True, allow_blank=True)
    screen = serializers.CharField(
        read_only=True, allow_blank=True, help_text="Key of the screen it opens."
    )
    url = serializers.CharField(
        read_only=True, allow_blank=True, help_text="Where a link leads."
    )
    address = serializers.CharField(read_only=True, help_text="The page of the menu.")


class ParameterSerializer(_Serializer):
    name = serializers.CharField(read_only=True)
    type = serializers.ChoiceField(
        choices=[kind.value for kind in ParameterType], read_only=True
    )
    required = serializers.BooleanField(read_only=True)  # type: ignore[assignment]
    default = serializers.CharField(
        read_only=True, allow_null=True, help_text="As an address writes it."
    )
    choices = serializers.ListField(child=serializers.CharField(), read_only=True)
    title = serializers.CharField(read_only=True)


class BlockSerializer(_Serializer):
    id = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    width = serializers.IntegerField(
        read_only=True, help_text="Columns of twelve.", min_value=1, max_value=12
    )
    height = serializers.IntegerField(read_only=True, help_text="Rows of the grid.")
    address = serializers.CharField(read_only=True, help_text="The block as JSON.")
    csv_address = serializers.CharField(read_only=True, help_text="The block as CSV.")


class MenuDetailSerializer(MenuSerializer):
    """A menu, and for a screen what can be asked of it."""

    title = serializers.CharField(read_only=True, allow_blank=True)
    description = serializers.CharField(read_only=True, allow_blank=True)
    version = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Published version of the screen."
    )
    parameters = ParameterSerializer(many=True, read_only=True)
    blocks = BlockSerializer(many=True, read_only=True)


class FailureSerializer(_Serializer):
    reason = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)
    status = serializers.IntegerField(read_only=True, allow_null=True)


class OutcomeSerializer(_Serializer):
    """What one block came to: rows, a text, or a failure."""

    id = serializers.CharField()
    state = serializers.ChoiceField(
        choices=["ok", "empty", "truncated", "stale", "failed"]
    )
    response = serializers.CharField(help_text="Name of the response that was chosen.")
    decision = serializers.JSONField(
        help_text="Decision table, rule, operations called, and the trace."
    )
    elapsed_ms = serializers.FloatField()
    as_of = serializers.DateTimeField(required=False)
    origin = serializers.CharField(required=False)
    status = serializers.IntegerField(required=False, allow_null=True)
    notes = serializers.ListField(required=False, child=serializers.CharField())
    columns = serializers.JSONField(required=False)
    rows = serializers.JSONField(required=False)
    cuts = serializers.JSONField(required=False)
    text = serializers.CharField(required=False)
    failure = FailureSerializer(required=False)


class RunSerializer(_Serializer):
    """All blocks of a screen; one that failed leaves the others as they are."""

    screen = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    arguments = serializers.DictField(
        child=serializers.CharField(allow_null=True),
        help_text="Value of every parameter, as an address writes it.",
    )
    blocks = OutcomeSerializer(many=True)


class ArgumentErrorSerializer(_Serializer):
    name = serializers.CharField()
    rule = serializers.ChoiceField(
        choices=["unknown", "missing", "type", "minimum", "maximum", "choice"]
    )
    message = serializers.CharField()


class BadArgumentsSerializer(_Serializer):
    """Why a request was refused; nothing was run."""

    errors = ArgumentErrorSerializer(many=True)  # type: ignore[assignment]


class ProblemSerializer(_Serializer):
    detail = serializers.CharField()
