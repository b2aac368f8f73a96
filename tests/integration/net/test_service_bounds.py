"""Services that answer without an end: what is read of it, and what it may cost."""

import functools
import json
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adspark.errors import AdSparkError, ServiceUnavailableError
from adspark.notifications.apprise import send
from tests.support.factories import creative_row, query
from tests.support.raw_server import serve_raw
from tests.support.serpapi_answers import body, client
from tests.support.service_calls import CALLS, _run, _search

MB = 2**20
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
STREAM = OK.replace(b"application/json", b"text/event-stream")


@functools.cache
def bomb(packing: str) -> bytes:
    """Zeros, packed: 250 MB of them."""
    packer = zlib.compressobj(1, wbits=31 if packing == "gzip" else 15)
    return b"".join(packer.compress(bytes(MB)) for _ in range(250)) + packer.flush()


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
@pytest.mark.parametrize("call", CALLS)
async def test_what_unpacks_without_an_end_is_not_unpacked(call: str, packing: str) -> None:
    def answer(_: bytes) -> Iterable[bytes]:
        head = STREAM if call == "run" else OK
        yield head + f"Content-Encoding: {packing}\r\n\r\n".encode() + bomb(packing)

    with serve_raw(answer) as url:
        tracemalloc.start()
        try:
            with pytest.raises(AdSparkError, match=r"too large: more than \d+ MB"):
                await CALLS[call](url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 200 * MB


@pytest.mark.parametrize("call", CALLS)
async def test_what_is_sent_without_an_end_is_not_read(call: str) -> None:
    sent = 0

    def answer(_: bytes) -> Iterable[bytes]:
        nonlocal sent
        yield (STREAM + b"\r\ndata: ") if call == "run" else OK + b"\r\n"
        for _part in range(300):
            sent += MB
            yield bytes(b"x" * MB)

    with serve_raw(answer) as url, pytest.raises(AdSparkError, match=r"too large: more than"):
        await CALLS[call](url)
    assert sent < 100 * MB


@pytest.mark.parametrize("call", CALLS)
async def test_what_unpacks_to_nothing_is_not_read_for_ever(call: str) -> None:
    sent = 0

    def answer(_: bytes) -> Iterable[bytes]:
        nonlocal sent
        yield (STREAM if call == "run" else OK) + b"Content-Encoding: deflate\r\n\r\n"
        yield zlib.compress(b"")[:2]
        empty = b"\0\0\0\xff\xff" * 200_000  # blocks without content
        for _part in range(300):
            sent += len(empty)
            yield empty

    with serve_raw(answer) as url, pytest.raises(AdSparkError, match=r"too large: more than"):
        await CALLS[call](url)
    assert sent < 100 * MB


async def test_the_events_of_a_long_run_count_one_by_one() -> None:
    chunk = {"event": "text_chunk", "workflow_run_id": "r", "task_id": "t"}
    event = b"data: " + json.dumps(chunk | {"data": {"text": "x" * MB}}).encode() + b"\n\n"
    last = b'data: {"event": "workflow_finished", "workflow_run_id": "r", "data": {}}\n\n'

    def answer(_: bytes) -> Iterator[bytes]:
        yield STREAM + b"\r\n"
        for _part in range(42):
            yield event
        yield last

    with serve_raw(answer) as url:
        events = await _run(url)
    assert isinstance(events, list)
    assert len(events) == 43


@pytest.mark.parametrize("content", [b"[" + b"{}," * 600_000 + b"{}]", b'{"a":' * 600_000])
async def test_what_has_more_values_than_any_real_answer_is_not_taken_apart(content: bytes) -> None:
    def answer(_: bytes) -> Iterable[bytes]:
        yield OK + b"\r\n" + content

    with serve_raw(answer) as url, pytest.raises(ServiceUnavailableError, match="not the JSON"):
        await _search(url)


def page_of(rows: list[Any]) -> bytes:
    return json.dumps(body(*rows, token="next")).encode()


async def test_rows_without_an_end_cost_no_more_than_a_page() -> None:
    rows = [{"ad_creative_id": f"no id {number}"} for number in range(60_000)]
    content = page_of(rows)

    def answer(_: bytes) -> Iterable[bytes]:
        yield OK + b"\r\n" + content

    with serve_raw(answer) as url:
        page = await _search(url)
    assert len(page.rejected) == 1000  # type: ignore[attr-defined]
    assert (page.broke_off, page.next_page_token) == (True, None)  # type: ignore[attr-defined]


async def test_a_row_without_an_end_is_kept_by_its_beginning() -> None:
    huge = creative_row(advertiser="x" * (10 * MB))
    broken = creative_row(ad_creative_id="CR1", advertiser="x" * (5 * MB))

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body(huge, broken))

    async with client(answer) as serpapi:
        page = await serpapi.fetch_page(query())
    assert len(page.rows[0].advertiser) == 500
    (rejected,) = page.rejected
    assert rejected.payload["ad_creative_id"] == "CR1"
    assert len(json.dumps(rejected.payload)) < 50_000
    assert len(rejected.reason) < 1000


@pytest.mark.parametrize("answered", ["packed", "endless"])
async def test_the_answer_of_a_webhook_is_not_read_to_its_end(answered: str) -> None:
    """Its status has said already that the message was taken."""
    sent = 0

    def answer(_: bytes) -> Iterable[bytes]:
        nonlocal sent
        packing = b"Content-Encoding: gzip\r\n\r\n" if answered == "packed" else b"\r\n"
        yield OK + packing + (bomb("gzip") if answered == "packed" else b"")
        for _part in range(200):
            sent += MB
            yield bytes(MB)

    with serve_raw(answer) as url:
        tracemalloc.start()
        try:
            await send(SecretStr(f"{url.replace('http', 'json', 1)}/x"), subject="News", body="x")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 50 * MB
    assert sent < 50 * MB
