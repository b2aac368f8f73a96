"""A process that makes variants and kills itself, with SIGKILL, at a given border crossing.

`python -m tests.support.crash_at DATABASE SANDBOX FOLDER` reads lines `VARIANT CROSSING`, and
answers each with the place where it was killed, or `made`. A crossing is a message to or from the
outside: a commit (before and after), a request about to leave, the head or a piece of an answer.
The process forks for each line, for imports take long.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from adspark.db.engine import Database
from tests.support.workshop import workshop

_MOST_PIECES = 4  # of one answer: a stream has many that are alike


class Borders:
    """Counts crossings, and dies at the one that it is told."""

    def __init__(self, last: int, report: int) -> None:
        self._left = last
        self._report = report

    def cross(self, where: str) -> None:
        self._left -= 1
        if self._left == 0:
            os.write(self._report, where.encode())
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedTransport(httpx.AsyncHTTPTransport):
    """Carries requests and counts their crossings."""

    def __init__(self, borders: Borders) -> None:
        super().__init__()
        self._borders = borders

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        place = f"{request.method} {request.url.path.rpartition('/v1/')[2]}"
        self._borders.cross(f"before {place}")
        response = await super().handle_async_request(request)
        self._borders.cross(f"head of {place}")
        stream = _Watched(response.stream, self._borders, place)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=stream,
            extensions=response.extensions,
        )


class _Watched(httpx.AsyncByteStream):
    def __init__(self, stream: Any, borders: Borders, place: str) -> None:  # noqa: ANN401
        self._stream = stream
        self._borders = borders
        self._place = place

    async def __aiter__(self) -> AsyncIterator[bytes]:
        number = 0
        async for piece in self._stream:
            yield piece
            number += 1
            if number <= _MOST_PIECES:
                self._borders.cross(f"piece {number} of {self._place}")

    async def aclose(self) -> None:
        await self._stream.aclose()


async def make(address: str, sandbox: str, folder: Path, variant: int, borders: Borders) -> None:
    """One variant, from the claim to its end."""

    def before_commit(_connection: object) -> None:
        borders.cross("before a commit")

    def after_use(_connection: object, _record: object) -> None:
        borders.cross("after a use of the database")

    event.listen(Engine, "commit", before_commit)
    event.listen(Pool, "checkin", after_use)
    async with Database(address) as database:
        shop = workshop(database, sandbox, folder)
        shop.transport = WatchedTransport(borders)
        await shop.make(variant)


def main() -> None:
    """Serve the lines."""
    address, sandbox, folder = sys.argv[1:]
    for line in sys.stdin:
        variant, crossing = map(int, line.split())
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            borders = Borders(crossing, writing)
            asyncio.run(make(address, sandbox, Path(folder), variant, borders))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            where = told.read()
        _, status = os.waitpid(child, 0)
        done = "made" if os.waitstatus_to_exitcode(status) == 0 else "failed"
        sys.stdout.write(f"{where or done}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
