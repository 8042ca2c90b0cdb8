"""The demo's API: a real HTTP server on the loopback, over the recorded data.

Every address takes switches, so that timeouts, fallbacks and paging can be seen:
``delay_ms`` waits before the answer, ``fail`` answers that status, and
``malformed=true`` sends broken JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from aiohttp import web

from demo.datasets import Record, earthquakes, electricity, penguins, weather

MAX_DELAY_MS = 60_000
MAX_PAGE = 5_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_application() -> web.Application:
    """Return the demo API as an aiohttp application."""
    application = web.Application(middlewares=[_switches])
    application.add_routes(
        [
            web.get("/", index),
            web.get("/weather/daily", weather_daily),
            web.get("/weather/daily.csv", weather_csv),
            web.get("/weather/report", weather_report),
            web.get("/earthquakes", earthquake_list),
            web.get("/electricity", electricity_list),
            web.get("/penguins", penguin_list),
            web.get("/status/{code}", status),
            web.get("/hang", hang),
        ]
    )
    return application


@web.middleware
async def _switches(request: web.Request, handler: Handler) -> web.StreamResponse:
    delay_ms = _whole(request, "delay_ms", default=0, most=MAX_DELAY_MS)
    fail = _whole(request, "fail", default=0, most=599)
    if delay_ms:
        await asyncio.sleep(delay_ms / 1_000)
    if fail >= HTTPStatus.BAD_REQUEST:
        return web.json_response({"error": f"asked to fail with {fail}"}, status=fail)
    if request.query.get("malformed") == "true":
        return web.Response(
            text='{"data": [{"date": "2012-', content_type="application/json"
        )
    return await handler(request)


def _whole(request: web.Request, name: str, *, default: int, most: int) -> int:
    text = request.query.get(name, "") or str(default)
    if not text.isascii() or not text.isdigit():
        raise web.HTTPBadRequest(text=f"{name} must be a whole number, found {text!r}.")
    return min(int(text), most)


def _decimal(request: web.Request, name: str, *, default: float) -> float:
    text = request.query.get(name, "") or str(default)
    try:
        return float(text)
    except ValueError as error:
        raise web.HTTPBadRequest(
            text=f"{name} must be a number, found {text!r}."
        ) from error


def _page(request: web.Request, records: Sequence[Record]) -> web.Response:
    limit = _whole(request, "limit", default=100, most=MAX_PAGE)
    offset = _whole(request, "offset", default=0, most=len(records))
    body = {
        "total": len(records),
        "offset": offset,
        "data": records[offset : offset + limit],
    }
    return web.json_response(body, headers={"X-Total-Count": str(len(records))})


async def index(request: web.Request) -> web.Response:
    """Say what there is."""
    routes = sorted({str(route.resource) for route in request.app.router.routes()})
    return web.json_response({"service": "demo API of Signalbox", "routes": routes})


def _days(request: web.Request) -> Sequence[Record]:
    first, last = request.query.get("from", ""), request.query.get("to", "")
    return [
        day
        for day in weather()
        if (not first or str(day["date"]) >= first)
        and (not last or str(day["date"]) <= last)
    ]


async def weather_daily(request: web.Request) -> web.Response:
    """Days between ``from`` and ``to``, as JSON under ``data``."""
    return _page(request, _days(request))


async def weather_csv(request: web.Request) -> web.Response:
    """The same days as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(weather()[0]))
    writer.writeheader()
    writer.writerows(dict(day) for day in _days(request))
    return web.Response(text=file.getvalue(), content_type="text/csv")


async def weather_report(request: web.Request) -> web.Response:
    """A short report in Markdown about the days asked for."""
    days = _days(request)
    if not days:
        return web.Response(text="", content_type="text/markdown")
    korean = request.query.get("language") == "ko"
    hottest = max(days, key=lambda day: float(day["temp_max"] or 0))
    wettest = max(days, key=lambda day: float(day["precipitation"] or 0))
    rain = sum(1 for day in days if float(day["precipitation"] or 0) > 0)
    lines = _REPORT_KO if korean else _REPORT_EN
    text = lines.format(
        first=days[0]["date"], last=days[-1]["date"], count=len(days), rain=rain,
        hot=hottest["temp_max"], hot_day=hottest["date"],
        wet=wettest["precipitation"], wet_day=wettest["date"],
    )  # fmt: skip
    return web.Response(text=text, content_type="text/markdown")


_REPORT_EN = """\
**Seattle, {first} to {last}**

- {count} days, rain on {rain} of them
- warmest: **{hot} °C** on {hot_day}
- wettest: **{wet} mm** on {wet_day}
"""
_REPORT_KO = """\
**시애틀, {first} ~ {last}**

- {count}일 가운데 비 온 날 {rain}일
- 최고 기온: **{hot} °C** ({hot_day})
- 최다 강수: **{wet} mm** ({wet_day})
"""


async def earthquake_list(request: web.Request) -> web.Response:
    """Earthquakes of at least ``min_magnitude``, in ``region`` when it is given."""
    least = _decimal(request, "min_magnitude", default=-10.0)
    region = request.query.get("region", "")
    return _page(
        request,
        [
            quake
            for quake in earthquakes()
            if float(quake["magnitude"] or 0) >= least
            and (not region or quake["region"] == region)
        ],
    )


async def electricity_list(request: web.Request) -> web.Response:
    """Net generation of Iowa by year and source."""
    return _page(request, electricity())


async def penguin_list(request: web.Request) -> web.Response:
    """Penguins, with the gaps the recordings have."""
    return _page(request, penguins())


async def status(request: web.Request) -> web.Response:
    """Answer the status in the path."""
    code = request.match_info["code"]
    if not code.isdigit() or not 200 <= int(code) <= 599:
        raise web.HTTPBadRequest(text=f"{code!r} is no status between 200 and 599.")
    return web.json_response({"status": int(code)}, status=int(code))


async def hang(request: web.Request) -> web.Response:
    """Answer after a minute: an upstream that hangs."""
    await asyncio.sleep(MAX_DELAY_MS / 1_000)
    return web.json_response([])


def main() -> None:
    """Serve the demo API until it is interrupted; needs no settings of the portal."""
    parser = argparse.ArgumentParser(description="Serve the demo's API.")
    parser.add_argument("--port", type=int, default=8901, help="default: 8901")
    serve(parser.parse_args().port)


def serve(port: int) -> None:
    """Serve the demo API on one port of the loopback."""
    web.run_app(
        make_application(),
        host="127.0.0.1",
        port=port,
        access_log=None,
        print=None,
        shutdown_timeout=0.5,
    )


if __name__ == "__main__":
    main()
