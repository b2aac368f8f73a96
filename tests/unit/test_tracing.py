"""Spans: none, and no import, where nothing is configured; no secret in those that are sent."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from adspark import tracing
from adspark.text.redaction import redact, remember_environment
from adspark.tracing import identify, send_spans, span
from tests.support.collector import Collector, attributes, collecting

FETCH = "3f9d1c1a-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def _own_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test reads the environment anew."""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    tracing._provider.cache_clear()
    yield
    if provider := tracing._provider():
        provider.shutdown()
    tracing._provider.cache_clear()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as opened:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", opened.url)
        yield opened


def test_without_a_collector_nothing_of_opentelemetry_is_imported() -> None:
    program = (
        "import sys; from adspark.tracing import identify, send_spans, span\n"
        "with identify(watch=1), span('search'): pass\n"
        "send_spans(); print([one for one in sys.modules if one.startswith('opentelemetry')])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (told.stdout, told.stderr) == ("[]\n", "")


def test_without_the_extra_it_is_said_how_to_install_it() -> None:
    program = (
        "import os, sys; sys.modules['opentelemetry.sdk'] = None\n"
        "os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'http://127.0.0.1:9'\n"
        "from adspark.tracing import send_spans, span\n"
        "with span('search'): print('done')\n"
        "send_spans()"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout == "done\n"
    assert told.stderr.startswith("No spans are sent: ")
    assert "otel" in told.stderr


def test_a_span_has_the_ids_that_are_known_and_those_around_it(collector: Collector) -> None:
    outer = identify(flow_run="f", task_run=None)
    with outer, span("fetch"), identify(fetch=FETCH, watch=7), span("search"):
        pass
    send_spans()
    search, fetch = collector.spans
    assert (search.name, fetch.name) == ("search", "fetch")
    assert search.parent_span_id == fetch.span_id
    assert attributes(search.attributes) == {
        "prefect.flow_run.id": "f", "adspark.fetch.id": FETCH, "adspark.watch.id": 7,
    }  # fmt: skip
    assert attributes(fetch.attributes) == {"prefect.flow_run.id": "f"}
    assert collector.resources[0]["service.name"] == "adspark"


def test_of_an_error_there_is_the_class_and_no_word(collector: Collector) -> None:
    with pytest.raises(ValueError, match="hunter2"), span("generate"):
        raise ValueError("https://example.com/?api_key=hunter2")
    send_spans()
    (found,) = collector.spans
    assert attributes(found.attributes) == {"error.type": "ValueError"}
    assert (found.status.code, found.status.message, len(found.events)) == (2, "", 0)
    assert b"hunter2" not in b"".join(collector.bodies)


def test_the_standard_variables_hold(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ads")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20c2VjcmV0LWtleQ")
    with span("search"):
        pass
    send_spans()
    assert collector.headers[0]["authorization"] == "Basic c2VjcmV0LWtleQ"
    assert collector.resources[0]["service.name"] == "ads"
    assert collector.resources[0]["deployment.environment"] == "test"
    remember_environment()
    assert "c2VjcmV0LWtleQ" not in redact("sent with Basic c2VjcmV0LWtleQ")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OTEL_SDK_DISABLED", "true", ""),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL has to be http/prot"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "a variable OTEL_… cannot be read"),
    ],
)
def test_what_cannot_be_is_said_once_and_stops_nothing(
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv(name, value)
    for _ in range(2):
        with caplog.at_level(logging.WARNING), span("search"):
            pass
    send_spans()
    assert collector.bodies == []
    assert len(caplog.records) == bool(told)
    assert told in caplog.text


def test_a_collector_that_is_away_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with span("search"):
        pass
    send_spans()
