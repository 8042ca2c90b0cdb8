"""A small receiver of OTLP over HTTP: traces, logs and metrics, for people and tests.

It takes protobuf and JSON, plain or gzip, on ``/v1/traces``, ``/v1/logs`` and
``/v1/metrics``, and can be told to refuse so many requests first.

Source: OpenTelemetry Protocol 1.x, "OTLP/HTTP".
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

LARGEST = 16 * 1024 * 1024
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_IDS = ("traceId", "spanId", "parentSpanId")


class Unreadable(ValueError):
    """A request is no OTLP; the text says why."""


class Received(NamedTuple):
    """One span, log record or metric.

    Attributes:
        signal: ``trace``, ``log`` or ``metric``.
        name: Of the span or metric; the body of a log record.
        trace_id: 32 hexadecimal digits, "" for none; `span_id` and `parent_id` 16.
        took_ms: Of a span; 0 for the others.
        failed: Whether the span's status is an error.
        attributes: Its own, not those of its resource.
        resource: Attributes of the resource.
    """

    signal: str
    name: str
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    took_ms: float = 0.0
    failed: bool = False
    attributes: Mapping[str, Any] = {}
    resource: Mapping[str, Any] = {}

    def line(self) -> str:
        """Return one line for people."""
        if self.signal != "trace":
            trace = f"  {self.trace_id[:8]}" if self.trace_id else ""
            return f"{self.signal:<6} {self.name}{trace}"
        parent = self.parent_id or "-" * 16
        end = "  error" if self.failed else ""
        return (
            f"span   {self.trace_id} {self.span_id} < {parent}  "
            f"{self.took_ms:9.1f} ms  {self.name}{end}"
        )

    def as_json(self) -> str:
        return json.dumps(self._asdict(), ensure_ascii=False, default=str)


def decoded(path: str, body: bytes, *, kind: str, encoding: str) -> list[Received]:
    """Read one request.

    Args:
        path: ``/v1/traces``, ``/v1/logs`` or ``/v1/metrics``.
        kind: Value of its ``Content-Type``.
        encoding: Value of its ``Content-Encoding``.

    Raises:
        Unreadable: it is too large, packed in another way, or no OTLP.
    """
    message = _REQUESTS[path][0]()
    content = _unpacked(body, encoding)
    try:
        if kind.partition(";")[0].strip() == _JSON:
            Parse(_with_base64_ids(content), message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(content)
    except (DecodeError, ParseError, ValueError) as error:
        raise Unreadable(f"The body is no OTLP: {error}") from error
    return list(_READERS[path](MessageToDict(message)))


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "deflate"}:
        raise Unreadable(f"Content-Encoding {encoding!r}: send gzip or nothing.")
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        content = reader.decompress(body, LARGEST)
    except zlib.error as error:
        raise Unreadable(f"The body cannot be unpacked: {error}") from error
    if not reader.eof and not reader.unconsumed_tail:
        raise Unreadable("The body cannot be unpacked: its end is missing.")
    if reader.unconsumed_tail or not reader.eof:
        raise Unreadable(f"The body is larger than {LARGEST} bytes when unpacked.")
    return content


def _with_base64_ids(content: bytes) -> str:
    """Turn ids from OTLP's hexadecimal digits into the base64 of protobuf's JSON."""

    def turned(found: dict[str, Any]) -> dict[str, Any]:
        for name in _IDS:
            if isinstance(value := found.get(name), str):
                found[name] = base64.b64encode(binascii.unhexlify(value)).decode()
        return found

    return json.dumps(json.loads(content, object_hook=turned))


def _spans(message: Mapping[str, Any]) -> Iterator[Received]:
    for group in message.get("resourceSpans", []):
        resource = _attributes(group.get("resource", {}))
        for scope in group.get("scopeSpans", []):
            for span in scope.get("spans", []):
                start, end = (
                    int(span.get(f"{edge}TimeUnixNano", 0)) for edge in ("start", "end")
                )
                yield Received(
                    "trace",
                    span.get("name", ""),
                    trace_id=_hex(span.get("traceId", "")),
                    span_id=_hex(span.get("spanId", "")),
                    parent_id=_hex(span.get("parentSpanId", "")),
                    took_ms=(end - start) / 1e6,
                    failed=span.get("status", {}).get("code") == "STATUS_CODE_ERROR",
                    attributes=_attributes(span),
                    resource=resource,
                )


def _records(message: Mapping[str, Any]) -> Iterator[Received]:
    for group in message.get("resourceLogs", []):
        resource = _attributes(group.get("resource", {}))
        for scope in group.get("scopeLogs", []):
            for record in scope.get("logRecords", []):
                yield Received(
                    "log",
                    str(_plain(record.get("body", {}))),
                    _hex(record.get("traceId", "")),
                    _hex(record.get("spanId", "")),
                    attributes=_attributes(record),
                    resource=resource,
                )


def _metrics(message: Mapping[str, Any]) -> Iterator[Received]:
    for group in message.get("resourceMetrics", []):
        resource = _attributes(group.get("resource", {}))
        for scope in group.get("scopeMetrics", []):
            for metric in scope.get("metrics", []):
                yield Received("metric", metric.get("name", ""), resource=resource)


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()


def _attributes(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        each["key"]: _plain(each.get("value", {}))
        for each in found.get("attributes", [])
    }


def _plain(value: Mapping[str, Any]) -> Any:
    """Return the one value of an ``AnyValue``; whole numbers come as text."""
    for name, found in value.items():
        return int(found) if name == "intValue" else found
    return ""


_REQUESTS: Mapping[str, tuple[type[Message], type[Message]]] = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/logs": (ExportLogsServiceRequest, ExportLogsServiceResponse),
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
}
_READERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Received]]] = {
    "/v1/traces": _spans,
    "/v1/logs": _records,
    "/v1/metrics": _metrics,
}


class Sink:
    """Listens on 127.0.0.1 and hands on what it receives.

    Args:
        tell: Called for everything received, from several threads, one at a time.
        port: 0 chooses a free one; `port` of the sink says which.
        fail: So many requests are answered 503 first.
    """

    def __init__(
        self, tell: Callable[[Received], None], *, port: int = 0, fail: int = 0
    ) -> None:
        self._tell = tell
        self._fail = fail
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Answer until `stop` is called from another thread, or Ctrl+C."""
        try:
            self._server.serve_forever(poll_interval=0.1)
        finally:
            self._server.server_close()

    def stop(self) -> None:
        self._server.shutdown()

    def refuses(self) -> bool:
        """Say whether this request is one of those to be refused."""
        with self._lock:
            self._fail -= 1
            return self._fail >= 0

    def take(self, received: list[Received]) -> None:
        with self._lock:
            for each in received:
                self._tell(each)


def _handler(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LARGEST:
                self.close_connection = True
                return self._answer(413, b"Give a Content-Length of at most 16 MiB.")
            body = self.rfile.read(int(length))
            if self.path not in _REQUESTS:
                return self._answer(404, b"Send to /v1/traces, /v1/logs, /v1/metrics.")
            if sink.refuses():
                return self._answer(503, b"Told to refuse.")
            kind = self.headers.get("Content-Type", _PROTOBUF)
            encoding = self.headers.get("Content-Encoding", "")
            try:
                received = decoded(self.path, body, kind=kind, encoding=encoding)
            except Unreadable as error:
                return self._answer(400, str(error).encode())
            sink.take(received)
            if kind.startswith(_JSON):
                return self._answer(200, b"{}", kind=_JSON)
            answer = _REQUESTS[self.path][1]().SerializeToString()
            return self._answer(200, answer, kind=_PROTOBUF)

        def _answer(self, code: int, body: bytes, *, kind: str = "text/plain") -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Say nothing: what was received is told by the sink."""

    return Handler
