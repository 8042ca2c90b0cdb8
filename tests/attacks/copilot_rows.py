"""One row of every model of the copilot, of the tenant that must not be seen."""

from __future__ import annotations

from django.db import models

from copilot.models import (
    Calibration,
    CopilotPolicy,
    EvaluationRun,
    Feedback,
    ModelCall,
    Suggestion,
)
from screens.models import Screen


def marked_copilot(mark: str, screen: Screen) -> list[models.Model]:
    suggestion = Suggestion.objects.create(
        screen=screen,
        base_version=1,
        base_digest=mark,
        instruction=f"{mark} wish",
        engine="grammar",
        kind="proposal",
    )
    return [
        suggestion,
        Feedback.objects.create(suggestion=suggestion, outcome="shown"),
        ModelCall.objects.create(suggestion=suggestion, model=mark, outcome=mark),
        Calibration.objects.create(engine=mark[:8], basis="platt"),
        EvaluationRun.objects.create(engine=mark[:8], golden_set=mark),
        CopilotPolicy.objects.create(sharing="names"),
    ]
