"""A collector of OpenTelemetry: takes spans by OTLP over HTTP, as protobuf, and decodes them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """What arrived at `url`: requests as sent, and their headers."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    @property
    def spans(self) -> list[Span]:
        """All spans, decoded."""
        return [
            span
            for request in self._requests()
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def resources(self) -> list[dict[str, str | int]]:
        """Attributes of who sent them."""
        return [
            attributes(resource.resource.attributes)
            for request in self._requests()
            for resource in request.resource_spans
        ]

    def _requests(self) -> Iterator[ExportTraceServiceRequest]:
        return map(ExportTraceServiceRequest.FromString, self.bodies)


def attributes(found: Iterable[KeyValue]) -> dict[str, str | int]:
    """Attributes by name."""
    values: dict[str, str | int] = {}
    for one in found:
        value: AnyValue = one.value
        values[one.key] = value.int_value if value.HasField("int_value") else value.string_value
    return values


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a port of its own."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_known = self.path == "/v1/traces"
            if is_known:
                collector.bodies.append(body)
                collector.headers.append(dict(self.headers.items()))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
