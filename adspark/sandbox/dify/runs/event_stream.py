"""A run's events as a stream, and how a fault corrupts it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from adspark.sandbox.dify.faults import NO_HITS, DifyFaultKind, Hits
from adspark.sandbox.dify.runs.run import Json, Run
from adspark.sandbox.responses import dump_json
from adspark.sandbox.serpapi.fault_responses import DroppedConnection, wait_for_leaving

_PING = b"event: ping\n\n"
_BEFORE_FAULT = 2  # events that come through before a stream is cut or falls silent
_ARRIVAL = 0.05  # seconds for what was sent to arrive, before the connection is reset


class EventStream(Response):
    """The events of a run from `start` on, to its end or the client's leaving.

    Args:
        run: whose events.
        ping_every: seconds without an event before a ping.
        start: how many events are left out.
        hits: the faults that corrupt the stream.
        is_later: it is not the stream of the request that began the run; of a finished run it has
            the last event alone.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        run: Run,
        ping_every: float,
        *,
        start: int = 0,
        hits: Hits = NO_HITS,
        is_later: bool = False,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._run = run
        self._events = run.events
        self._ping_every = ping_every
        self._start = start
        self._hits = hits
        self._has_missed_all = is_later and run.is_over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        pumping = asyncio.ensure_future(self._pump(send))
        leaving = asyncio.ensure_future(wait_for_leaving(receive))
        try:
            await asyncio.wait({pumping, leaving}, return_when=asyncio.FIRST_COMPLETED)
            is_cut = pumping.done() and not pumping.result()
        except asyncio.CancelledError:  # the server stops
            is_cut = True
        finally:
            await _cancel(pumping, leaving)
        if is_cut:
            await DroppedConnection(_ARRIVAL)(scope, receive, send)

    async def _pump(self, send: Send) -> bool:
        """Send everything; tells whether that was to the end."""
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                await send(_body(chunk, more=True))
        if DifyFaultKind.CUT_STREAM in self._hits:
            return False
        await send(_body(b"", more=False))
        return True

    async def _chunks(self) -> AsyncGenerator[bytes]:
        run, position = self._run, self._start
        if self._has_missed_all:
            yield _write(run.last_event())
            return
        if (late := self._hits.get(DifyFaultKind.LATE_FIRST_EVENT)) is not None:
            async for ping in self._wait(late.seconds):
                yield ping
        while True:
            while position < len(self._events):
                if position == _BEFORE_FAULT and DifyFaultKind.CUT_STREAM in self._hits:
                    return
                if position == _BEFORE_FAULT:
                    await self._fall_silent()
                yield _write(self._events[position])
                position += 1
            if run.is_over:
                return
            try:
                async with asyncio.timeout(self._ping_every):
                    await run.wait_for_change()
            except TimeoutError:
                yield _PING

    async def _wait(self, seconds: float | None) -> AsyncGenerator[bytes]:
        """Pings for so long, or for ever."""
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while end is None or loop.time() < end:
            left = self._ping_every if end is None else min(self._ping_every, end - loop.time())
            await asyncio.sleep(max(0.0, left))
            if end is None or loop.time() < end:
                yield _PING

    async def _fall_silent(self) -> None:
        if (silence := self._hits.get(DifyFaultKind.SILENCE)) is None:
            return
        if silence.seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(silence.seconds)


def _write(event: Json) -> bytes:
    return b"data: " + dump_json(event) + b"\n\n"


def _body(chunk: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _cancel(*futures: "asyncio.Future[bool] | asyncio.Future[None]") -> None:
    for future in futures:
        future.cancel()
        with suppress(asyncio.CancelledError):
            await future
