"""A process that makes variants and kills itself, with SIGKILL, at a given border crossing.

`python -m tests.support.crash_at DATABASE SANDBOX FOLDER` reads lines `VARIANT CROSSING`, and
answers each with the place where it was killed, or `made`. A crossing is a message to or from the
outside: a commit (before and after), a request about to leave, the head or a piece of an answer.
The process forks for each line, for imports take long.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from adspark.db.engine import Database
from tests.support.crash_steps import Steps, serve_lines
from tests.support.workshop import workshop

_MOST_PIECES = 4  # of one answer: a stream has many that are alike


class WatchedTransport(httpx.AsyncHTTPTransport):
    """Carries requests and counts their crossings."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        place = f"{request.method} {request.url.path.rpartition('/v1/')[2]}"
        self._steps.take(f"before {place}")
        response = await super().handle_async_request(request)
        self._steps.take(f"head of {place}")
        stream = _Watched(response.stream, self._steps, place)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=stream,
            extensions=response.extensions,
        )


class _Watched(httpx.AsyncByteStream):
    def __init__(self, stream: Any, steps: Steps, place: str) -> None:  # noqa: ANN401
        self._stream = stream
        self._steps = steps
        self._place = place

    async def __aiter__(self) -> AsyncIterator[bytes]:
        number = 0
        async for piece in self._stream:
            yield piece
            number += 1
            if number <= _MOST_PIECES:
                self._steps.take(f"piece {number} of {self._place}")

    async def aclose(self) -> None:
        await self._stream.aclose()


async def make(address: str, sandbox: str, folder: Path, line: str, report: int) -> None:
    """One variant, from the claim to its end."""
    variant, crossing = map(int, line.split())
    steps = Steps(crossing, report)
    steps.count_database()
    async with Database(address) as database:
        shop = workshop(database, sandbox, folder)
        shop.transport = WatchedTransport(steps)
        await shop.make(variant)


def main() -> None:
    """Serve the lines."""
    address, sandbox, folder = sys.argv[1:]
    serve_lines(
        lambda line, report: make(address, sandbox, Path(folder), line, report), ended="made"
    )


if __name__ == "__main__":
    main()
