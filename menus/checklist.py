"""A reader's first seven steps, ticked by what really happened.

What happened is read from the audit trail and from the visits, and remembered once it
was seen: a step that is done is not looked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from django.apps import apps
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from menus.checklist_models import FirstStep
from menus.models import RecentVisit
from menus.visibility import Kind
from tenants.audit import first_times
from tenants.models import User
from tenants.scope import Actor, using_tenant

Step = FirstStep.Step
Moments: TypeAlias = Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class StepText:
    """One step as it is offered.

    Attributes:
        text: What to do, and where.
        url_name: The page on which it is done; "" for a screen of the reader's menu.
        permission: What a member of staff needs for it; "" when everybody may.
        app: The app it is about, when a portal may be without it.
        actions: Actions of the audit trail that tick it.
    """

    text: str | Promise
    url_name: str = ""
    permission: str = ""
    app: str = ""
    actions: tuple[str, ...] = ()


STEPS: Mapping[Step, StepText] = {
    Step.OPEN_SCREEN: StepText(_("Open a screen of your menu.")),
    Step.EXPORT: StepText(
        _("Export the rows of a block as CSV: the button is on its card."),
        actions=("block.exported",),
    ),
    Step.SEE_WHY: StepText(
        _("See why a decision table chooses what it does: “Try it” beside the table."),
        url_name="admin:branching_decisiontable_changelist",
        permission="branching.view_decisiontable",
        actions=("decisiontable.tried",),
    ),
    Step.TEST_OPERATION: StepText(
        _("Test an operation of a data source: “Test” on its page."),
        url_name="admin:connectors_operation_changelist",
        permission="connectors.change_operation",
        actions=("operation.tested",),
    ),
    Step.ADD_MENU: StepText(
        _("Add a menu that opens a screen."),
        url_name="admin:menus_menu_add",
        permission="menus.add_menu",
        actions=("menu.created",),
    ),
    Step.CHANGE_RULE: StepText(
        _("Change a decision table or one of its rules, and save it."),
        url_name="admin:branching_decisiontable_changelist",
        permission="branching.change_decisiontable",
        actions=("decisiontable.changed",),
    ),
    Step.COPILOT: StepText(
        _("Ask the copilot for a chart in the screen editor, and accept it."),
        url_name="admin:screens_screen_changelist",
        permission="screens.change_screen",
        app="copilot",
        actions=("copilot.accepted",),
    ),
}


@dataclass(frozen=True, slots=True)
class Ticked:
    """One step of a reader.

    Attributes:
        done_at: When it was first done; None when it was not.
    """

    step: Step
    text: str | Promise
    url_name: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Checklist:
    """A reader's steps, in order.

    Attributes:
        put_away: Whether the reader does not want to see it.
    """

    steps: tuple[Ticked, ...]
    put_away: bool

    @property
    def done(self) -> int:
        return sum(ticked.done_at is not None for ticked in self.steps)

    @property
    def complete(self) -> bool:
        return self.done == len(self.steps)


def checklist(actor: Actor, user: User) -> Checklist:
    """Return the steps `user` may do, ticked. At most four queries.

    Args:
        user: The person of `actor`, asked for permissions; readers who are no staff
            are not asked for any.
    """
    offered = [step for step, text in STEPS.items() if _may(user, text)]
    with using_tenant(actor.tenant_id):
        known = dict(
            FirstStep.objects.filter(user_id=actor.user_id).values_list("step", "at")
        )
        if Step.PUT_AWAY in known:
            return Checklist((), put_away=True)
        missing = [step for step in offered if step not in known]
        found = _happened(actor, missing)
        _remember(actor, found)
    moments = known | found
    return Checklist(
        tuple(
            Ticked(step, STEPS[step].text, STEPS[step].url_name, moments.get(step))
            for step in offered
        ),
        put_away=False,
    )


def put_away(actor: Actor, *, wanted: bool) -> None:
    """Hide the list from the actor's home, or show it again."""
    with using_tenant(actor.tenant_id):
        if wanted:
            _remember(actor, {Step.PUT_AWAY: timezone.now()})
        else:
            FirstStep.objects.filter(user_id=actor.user_id, step=Step.PUT_AWAY).delete()


def _may(user: User, text: StepText) -> bool:
    if text.app and not apps.is_installed(text.app):
        return False
    return not text.permission or (user.is_staff and user.has_perm(text.permission))


def _happened(actor: Actor, steps: Iterable[Step]) -> dict[str, datetime]:
    """Look for what the actor did: visits, and the audit trail."""
    steps = list(steps)
    found: dict[str, datetime] = {}
    if Step.OPEN_SCREEN in steps:
        visits = RecentVisit.objects.filter(
            user_id=actor.user_id, menu__kind=Kind.SCREEN
        )
        first = visits.order_by("visited_at").first()
        if first is not None:
            found[Step.OPEN_SCREEN] = first.visited_at
    wanted = {action: step for step in steps for action in STEPS[step].actions}
    times = first_times(actor, wanted) if wanted else {}
    for action, moment in times.items():
        step = wanted[action]
        found[step] = min(found.get(step, moment), moment)
    return found


def _remember(actor: Actor, found: Moments) -> None:
    """Write down what was seen; another page of the reader may have been first."""
    if found:
        rows = [
            FirstStep(user_id=actor.user_id, step=step, at=moment)
            for step, moment in found.items()
        ]
        FirstStep.objects.bulk_create(rows, ignore_conflicts=True)
