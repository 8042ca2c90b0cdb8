"""The copilot's tab of the screen editor; every step is a form, and needs no script."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast

from django.contrib import admin
from django.contrib import messages as notices
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from copilot import panel, services
from copilot.messages import gate_fault, gate_text
from copilot.models import CopilotPolicy, Feedback, Suggestion
from copilot.patch_text import read_patch
from screens.models import Screen, ScreenVersion
from screens.services import StaleBase
from tenants.scope import Actor

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

_INVALID: Final = 422
_STALE: Final = 409
_RECENT: Final = 10


def for_editors(view: View[P]) -> View[P]:
    """Let in staff of a tenant who may change screens."""

    @wraps(view)
    def guarded(
        request: HttpRequest, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        allowed = user.is_staff and user.has_perm("screens.change_screen")
        if not allowed or getattr(request, "tenant", None) is None:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return cast("View[P]", guarded)


@require_http_methods(["GET", "HEAD", "POST"])
@for_editors
def show_panel(request: HttpRequest, key: str) -> HttpResponse:
    """Show the prompt and one answer, or do what was posted."""
    screen = get_object_or_404(Screen, key=key)
    if request.method == "POST":
        action = _ACTIONS.get(request.POST.get("action", "ask"), _ask)
        return action(request, screen)
    return _panel(request, screen, _asked_for(request, screen))


# --- What can be posted ------------------------------------------------------------
def _ask(request: HttpRequest, screen: Screen) -> HttpResponse:
    instruction = request.POST.get("instruction", "")
    suggestion = services.suggest(screen, instruction, actor=Actor.of(request))
    if suggestion is None:
        fault = _("This screen has no version yet. Save one in the editor first.")
        return _panel(request, screen, None, fault=fault, status=_INVALID)
    return _shown(screen, suggestion)


def _choose(request: HttpRequest, screen: Screen) -> HttpResponse:
    suggestion = _posted(request, screen)
    index = _whole(request.POST.get("choice", ""))
    chosen = services.choose(suggestion, index, actor=Actor.of(request))
    if chosen is None:
        fault = _("The screen has changed since. Ask again.")
        return _panel(request, screen, suggestion, fault=fault, status=_STALE)
    return _shown(screen, chosen)


def _accept(request: HttpRequest, screen: Screen) -> HttpResponse:
    suggestion = _posted(request, screen)
    done = services.accept(
        suggestion, actor=Actor.of(request), confirmed="confirmed" in request.POST
    )
    return _settled(request, screen, suggestion, done)


def _accept_edited(request: HttpRequest, screen: Screen) -> HttpResponse:
    suggestion = _posted(request, screen)
    typed = request.POST.get("patch", "")
    patch = read_patch(typed)
    if patch is None:
        fault = _("This is no JSON. Correct the patch; nothing was saved.")
        return _panel(
            request, screen, suggestion, fault=fault, status=_INVALID, typed=typed
        )
    done = services.accept_edited(
        suggestion,
        patch,
        actor=Actor.of(request),
        confirmed="confirmed" in request.POST,
    )
    return _settled(request, screen, suggestion, done, typed=typed)


def _reject(request: HttpRequest, screen: Screen) -> HttpResponse:
    suggestion = _posted(request, screen)
    reason = request.POST.get("reason", "")
    if reason not in Feedback.Reason.values:
        fault = _("Choose why you reject it.")
        return _panel(request, screen, suggestion, fault=fault, status=_INVALID)
    services.reject(suggestion, reason, actor=Actor.of(request))
    notices.success(request, _("Thank you. Nothing was changed."))
    return _shown(screen, suggestion)


def _undo(request: HttpRequest, screen: Screen) -> HttpResponse:
    suggestion = _posted(request, screen)
    done = services.undo(suggestion, actor=Actor.of(request))
    return _settled(request, screen, suggestion, done)


_ACTIONS: Final[dict[str, Callable[[HttpRequest, Screen], HttpResponse]]] = {
    "ask": _ask,
    "choose": _choose,
    "accept": _accept,
    "accept-edited": _accept_edited,
    "reject": _reject,
    "undo": _undo,
}


# --- Answers -----------------------------------------------------------------------
def _settled(
    request: HttpRequest,
    screen: Screen,
    suggestion: Suggestion,
    done: services.Accepted,
    *,
    typed: str = "",
) -> HttpResponse:
    match done:
        case ScreenVersion():
            text = _("Version %d is saved as a draft.") % done.number
            notices.success(request, text)
            return _shown(screen, suggestion)
        case StaleBase(newest=newest):
            fault, status = (
                _(
                    "Not saved: version %(number)d was saved after this was proposed. "
                    "Ask again."
                )
                % {"number": newest.number},
                _STALE,
            )
        case services.NeedsConfirmation(gate=gate):
            fault, status = gate_fault(gate), _INVALID
        case services.Shut(gates=gates):
            faults = [f"{gate_text(each)}: {gate_fault(each)}" for each in gates]
            fault, status = _("Not saved. %s") % " ".join(faults), _INVALID
        case services.NotOpen():
            fault, status = _("This was settled before."), _STALE
        case errors:
            fault = " ".join(each.message for each in errors)
            status = _INVALID
    return _panel(request, screen, suggestion, fault=fault, status=status, typed=typed)


def _shown(screen: Screen, suggestion: Suggestion) -> HttpResponse:
    address = reverse("copilot-panel", kwargs={"key": screen.key})
    return redirect(f"{address}?suggestion={suggestion.pk}")


def _panel(
    request: HttpRequest,
    screen: Screen,
    suggestion: Suggestion | None,
    *,
    fault: str = "",
    status: int = 200,
    typed: str = "",
) -> HttpResponse:
    actor = Actor.of(request)
    recent = Suggestion.objects.filter(screen=screen, author_id=actor.user_id)
    services.note_reverts(recent, actor=actor)
    asked = request.POST.get("instruction", "")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Copilot"),
        "screen": screen,
        "active_panel": "copilot-panel",
        "fault": fault,
        "typed": typed,
        "instruction": asked or (suggestion.instruction if suggestion else ""),
        "card": panel.card(suggestion, actor=actor) if suggestion else None,
        "recent": recent[:_RECENT],
        "policy": CopilotPolicy.objects.first() or CopilotPolicy(),
    }
    return render(request, "copilot/panel.html", context, status=status)


def _asked_for(request: HttpRequest, screen: Screen) -> Suggestion | None:
    if "suggestion" not in request.GET:
        return None
    number = _whole(request.GET["suggestion"])
    return get_object_or_404(Suggestion, pk=number, screen=screen)


def _posted(request: HttpRequest, screen: Screen) -> Suggestion:
    number = _whole(request.POST.get("suggestion", ""))
    return get_object_or_404(Suggestion, pk=number, screen=screen)


def _whole(text: str) -> int:
    """Read a number; -1, which nothing has, for anything else."""
    plain = text.isascii() and text.isdecimal() and len(text) < 18
    return int(text) if plain else -1
