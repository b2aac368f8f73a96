"""Streams of events as Dify sends them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

Json = dict[str, Any]


Part = bytes | float | Exception | Callable[[], object]


class Stream(httpx.AsyncByteStream):
    """A body in parts: bytes, seconds to wait, errors to be raised, functions to be called."""

    def __init__(self, *parts: Part, is_left_open: bool = False) -> None:
        self._parts = parts
        self._is_left_open = is_left_open

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            elif isinstance(part, Exception):
                raise part
            elif callable(part):
                part()
            else:
                await asyncio.sleep(part)
        if self._is_left_open:
            await asyncio.sleep(1e6)


def sse(*events: Json, ending: str = "\n") -> bytes:
    """Events as Dify writes them."""
    lines = (f"data: {json.dumps(event, ensure_ascii=False)}{ending}{ending}" for event in events)
    return "".join(lines).encode()


PING = b"event: ping\n\n"


STARTED = {"event": "workflow_started", "workflow_run_id": "r1", "task_id": "t1", "data": {}}


NODE = {"event": "node_started", "workflow_run_id": "r1", "task_id": "t1", "data": {"title": "LLM"}}


FINISHED = {
    "event": "workflow_finished",
    "workflow_run_id": "r1",
    "task_id": "t1",
    "data": {"id": "r1", "status": "succeeded", "outputs": {"text": "Hello"}},
}


def streamed(*parts: Part, is_left_open: bool = False) -> httpx.Response:
    """A stream of events."""
    return httpx.Response(
        200,
        headers={"content-type": "text/event-stream; charset=utf-8"},
        stream=Stream(*parts, is_left_open=is_left_open),
    )
