"""A real HTTP server on the loopback, and specs that call it."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from connectors import loop
from connectors.models import DataSource, Operation
from connectors.specs import AuthKind, OperationSpec, SourceKind, SourceSpec
from tenants.models import Tenant
from tenants.scope import using_tenant
from tests.connectors.external import (  # noqa: F401 - fixtures
    external,
    on_mariadb,
    on_postgresql,
    on_sqlite,
    sqlite_file,
)
from tests.connectors.scope_databases import (  # noqa: F401 - fixtures
    pair,
    pair_of_postgresql,
    pair_of_sqlite,
)
from tests.connectors.walled import walled_postgresql  # noqa: F401 - a fixture

SECRET = "s3cr3t-planted-here-Zq"


@dataclass
class Upstream:
    """The server as tests see it."""

    port: int
    seen: list[dict[str, Any]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def network(self) -> str:
        return f"127.0.0.1:{self.port}"


def _routes(upstream: Upstream) -> web.RouteTableDef:
    routes = web.RouteTableDef()

    async def echo(request: web.Request) -> web.Response:
        told = {
            "method": request.method,
            "path": request.raw_path,
            "headers": dict(request.headers),
            "body": await request.text(),
        }
        upstream.seen.append(told)
        return web.json_response([told])

    routes.route("*", "/echo{rest:.*}")(echo)

    @routes.get("/json")
    async def some_json(request: web.Request) -> web.Response:
        rows = [{"site": "seoul", "temp": 21.5}, {"site": "busan", "temp": 23}]
        return web.json_response({"data": {"items": rows}})

    @routes.get("/large")
    async def large(request: web.Request) -> web.Response:
        return web.json_response([{"n": n, "text": "x" * 90} for n in range(2_000)])

    @routes.get("/body")
    async def body(request: web.Request) -> web.Response:
        headers = {"Content-Type": request.query.get("type", "text/plain")}
        data = request.query.get("text", "").encode()
        return web.Response(body=data, headers=headers)

    @routes.route("*", "/slow")
    async def slow(request: web.Request) -> web.Response:
        upstream.reached.set()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            upstream.gone.set()
            raise
        return web.Response(text="late")

    @routes.get("/drip")
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        upstream.reached.set()
        try:
            for _ in range(2_000):
                await response.write(b"x")
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            upstream.gone.set()
            raise
        return response

    @routes.route("*", "/status/{code}")
    async def status(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["code"]), text="why")

    @routes.get("/bomb")
    async def bomb(request: web.Request) -> web.Response:
        packed = gzip.compress(b"\0" * (64 * 1024 * 1024))
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
        return web.Response(body=packed, headers=headers)

    @routes.get("/half-gzip")
    async def half_gzip(request: web.Request) -> web.Response:
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
        return web.Response(body=b"\x1f\x8bnot gzip at all", headers=headers)

    @routes.get("/packed/{name}")
    async def packed(request: web.Request) -> web.Response:
        headers = {"Content-Encoding": request.match_info["name"]}
        return web.Response(body=b"raw", headers=headers)

    @routes.get("/huge")
    async def huge(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.content_length = 500 * 1024 * 1024
        await response.prepare(request)
        try:
            for _ in range(500):
                await response.write(b"x" * (1024 * 1024))
        except (ConnectionError, asyncio.CancelledError):
            upstream.gone.set()
            raise
        return response

    @routes.route("*", "/to")
    async def redirect(request: web.Request) -> web.Response:
        status = int(request.query.get("status", "302"))
        return web.Response(status=status, headers={"Location": request.query["url"]})

    @routes.get("/hops/{left}")
    async def hops(request: web.Request) -> web.Response:
        left = int(request.match_info["left"])
        target = f"/hops/{left - 1}" if left else "/json"
        return web.Response(status=302, headers={"Location": target})

    @routes.get("/nowhere")
    async def nowhere(request: web.Request) -> web.Response:
        return web.Response(status=302)

    return routes


class _Server:
    """An aiohttp server on a thread and loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.upstream = Upstream(port=0)
        self.runner = self._wait(self._start())

    def _wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.add_routes(_routes(self.upstream))
        runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.upstream.port = runner.addresses[0][1]
        return runner

    def stop(self) -> None:
        self._wait(self.runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@pytest.fixture(scope="session")
def _server() -> Iterator[_Server]:
    server = _Server()
    yield server
    server.stop()


@pytest.fixture
def upstream(_server: _Server) -> Upstream:
    """The server, with nothing seen yet."""
    found = _server.upstream
    found.seen.clear()
    found.gone.clear()
    found.reached.clear()
    return found


@pytest.fixture(autouse=True)
def _caller_runs() -> Iterator[None]:
    """Pool work sees the test's own transaction."""
    with loop.calling_thread_runs():
        yield


@pytest.fixture
def source(upstream: Upstream) -> SourceSpec:
    """The server as a data source that the allow-list names, of tenant 1."""
    return SourceSpec(
        key="up",
        kind=SourceKind.HTTP,
        tenant_id=1,
        tenant_key="acme",
        base_url=upstream.url,
        allowed_networks=(upstream.network,),
        auth=AuthKind.NONE,
    )


@pytest.fixture
def spec(source: SourceSpec) -> OperationSpec:
    return OperationSpec(key="items", source=source, path="/json", timeout_ms=5_000)


@pytest.fixture
def stored(
    in_acme: Tenant, upstream: Upstream, settings: Any
) -> Callable[..., Operation]:
    """Make an operation on the server, in acme."""
    settings.SIGNALBOX_INTERNAL_NETWORKS = [upstream.network]
    with using_tenant(in_acme):
        source = DataSource.objects.create(
            key="up", kind=DataSource.Kind.HTTP, address=upstream.url
        )

    def make(key: str = "items", **fields: Any) -> Operation:
        fields.setdefault("source", source)
        fields.setdefault("path", "/json")
        fields.setdefault("rows_path", "data.items")
        return Operation.objects.create(key=key, **fields)

    return make


def as_json(value: object) -> str:
    return json.dumps(value)
