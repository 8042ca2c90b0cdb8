"""Give every request a trace, and measure it as a page."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from observability import tracing
from observability.logs import current_request
from observability.services import background, recorder

# Asked every few seconds by machines: they would drown what people do.
_UNMEASURED = frozenset({"healthz", "readyz", "metrics"})
NO_ROUTE = "(no route)"


class TraceMiddleware:
    """Open the root span of a request and close it with the last byte.

    Stands before the middleware that reads the session. The response tells the
    trace id in ``X-Trace-Id``, and the milliseconds until the response began in
    ``Server-Timing``. A streamed page keeps its trace until it is closed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        visit = _Visit(request)
        try:
            response = self._get_response(request)
        except BaseException:
            visit.end(status=500)
            raise
        response["X-Trace-Id"] = tracing.current_trace_id()
        response["Server-Timing"] = f"app;dur={visit.elapsed_us() / 1_000:.1f}"
        if response.streaming:
            visit.end_with(response)
        else:
            visit.end(status=response.status_code)
        return response


class _Visit:
    """One request from its first to its last byte."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        background.start()
        self._started = time.perf_counter_ns()
        self._ended = False
        self._scope = tracing.enter_request(
            request.headers, method=request.method or "?"
        )
        self._previous_request = current_request.get()
        current_request.set(request)

    def elapsed_us(self) -> int:
        return (time.perf_counter_ns() - self._started) // 1_000

    def end_with(self, response: HttpResponseBase) -> None:
        """End when the server closes `response`, in the thread that sent it."""
        # Django's own list of what to close with a response; first in, first out.
        closers: list[Callable[[], object]] = vars(response)["_resource_closers"]
        closers.append(lambda: self.end(status=response.status_code))

    def end(self, *, status: int) -> None:
        if self._ended:
            return
        self._ended = True
        route = self._route()
        if route not in _UNMEASURED:
            recorder.record(
                "page",
                route,
                self._tenant(),
                elapsed_us=self.elapsed_us(),
                bad=status >= 500,
            )
        tracing.leave(
            self._scope,
            name=f"{self._request.method} {route}",
            reason=str(status) if status >= 500 else "",
            attributes={
                "http.request.method": self._request.method or "?",
                "http.route": route,
                "http.response.status_code": status,
                "signalbox.kind": "page",
                "signalbox.key": route,
                "signalbox.tenant": self._tenant(),
            },
        )
        current_request.set(self._previous_request)

    def _route(self) -> str:
        match = self._request.resolver_match
        return match.view_name if match and match.view_name else NO_ROUTE

    def _tenant(self) -> str:
        tenant = getattr(self._request, "tenant", None)
        return str(tenant.pk) if tenant is not None else ""
