"""Spans of OpenTelemetry around what takes time: fetch, search, render, generate, store.

The one place that makes spans. Without a collector's address in the environment (the standard
variables, `OTEL_…`) nothing of OpenTelemetry is imported. A span holds the ids of what it is about,
counts and the name of an error's class: no message, prompt, key or address of a service.

The provider is this module's own, so that other libraries' spans are not sent with ours.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING
from uuid import UUID

from adspark.installation import install_command

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Id = UUID | int | str | None
"""Of a run, watch, fetch or variant; None where there is none."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"
_NAMES = {
    "flow_run": "prefect.flow_run.id",
    "task_run": "prefect.task_run.id",
    "watch": "adspark.watch.id",
    "fetch": "adspark.fetch.id",
    "variant": "adspark.variant.id",
}
_LAST_WAIT = 5000  # milliseconds that a run's end waits for a collector

_ids: ContextVar[Mapping[str, str | int]] = ContextVar("adspark_span_ids", default={})  # noqa: B039  (never changed)
_log = logging.getLogger(__name__)


@contextmanager
def identify(**ids: Id) -> Iterator[None]:
    """Give these ids (`flow_run`, `task_run`, `watch`, `fetch`, `variant`) to all spans within."""
    known = {
        _NAMES[name]: value if isinstance(value, int) else str(value)
        for name, value in ids.items()
        if value is not None
    }
    before = _ids.get()
    _ids.set({**before, **known})
    try:
        yield
    finally:
        _ids.set(before)


@contextmanager
def span(name: str) -> Iterator[None]:
    """A span around the block; of what the block raises it has the class's name."""
    provider = _provider()
    if provider is None:
        yield
        return
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415  (an extra)

    tracer = provider.get_tracer("adspark", version("adspark"))
    with tracer.start_as_current_span(
        name, attributes=_ids.get(), record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(Status(StatusCode.ERROR))
            raise


def send_spans() -> None:
    """Send what has not been sent yet, before a process ends that runs no exit handlers."""
    if _provider.cache_info().currsize and (provider := _provider()):
        provider.force_flush(_LAST_WAIT)


@cache
def _provider() -> "TracerProvider | None":
    """Of this process; None where nothing is configured, or cannot be."""
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_off or not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    protocol = next(filter(None, map(os.environ.get, _PROTOCOLS)), _HTTP)
    if protocol != _HTTP:
        _log.warning("No spans are sent: OTEL_EXPORTER_OTLP_PROTOCOL has to be %s.", _HTTP)
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        _log.warning("No spans are sent: %s", install_command("otel"))
        return None
    is_named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    service = {"service.version": version("adspark")} | (
        {} if is_named else {"service.name": "adspark"}
    )
    try:
        provider = TracerProvider(resource=Resource.create(service))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    except ValueError as error:  # of a variable; no run fails for it
        _log.warning("No spans are sent: a variable OTEL_… cannot be read: %s", error)
        return None
    return provider
