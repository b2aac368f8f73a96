"""Downloads: how many there are at once, and how long their readers may take.

A reader who takes nothing for a minute is cut off, so that the turn is another's.
"""

import asyncio
import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, BinaryIO
from urllib.parse import quote

from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.responses import ContentStream
from starlette.types import Message, Receive, Scope, Send

from adspark.errors import BusyError

MOST_PICTURE_BYTES = 64 * 1024 * 1024
"""Of whole pictures in a file that is kept while it is sent, in containers in memory."""

_CHUNK = 256 * 1024  # bytes
_PATIENCE = 60.0
_LOG = logging.getLogger(__name__)


class Turns:
    """How many downloads of a kind are written and sent at the moment.

    Args:
        most: at once.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    @contextmanager
    def one(self) -> Iterator[None]:
        """One of them, until the block ends. Raises BusyError where there are too many."""
        if self._left == 0:
            raise BusyError("Others are downloading as many files as go at once; try again soon.")
        self._left -= 1
        try:
            yield
        finally:
            self._left += 1

    @contextmanager
    def file(self) -> Iterator[tuple[BinaryIO, ExitStack]]:
        """A file for one of them, and what closes both unless somebody else takes that over."""
        with ExitStack() as held:
            held.enter_context(self.one())
            yield held.enter_context(tempfile.TemporaryFile(prefix="adspark-")), held


class PatientResponse(StreamingResponse):
    """A download of this name, whose reader may take a minute for each part."""

    def __init__(
        self, parts: ContentStream, kind: str, *, name: str, patience: float = _PATIENCE
    ) -> None:
        headers = {
            "Content-Disposition": f"attachment; {_written(name)}",
            "Cache-Control": "no-store",
            # Compressing it would keep this process from all other readers.
            "Content-Encoding": "identity",
        }
        super().__init__(parts, media_type=kind, headers=headers)
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; what is cut off is not whole, and the server closes its connection."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._patience):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except ClientDisconnect:  # as Starlette names every OSError, and so the end of patience
            _LOG.warning("A download was cut off: its reader took no more of it.")


class FileDownload(PatientResponse):
    """A ZIP file, sent as a download.

    Nothing of the database is held while it is sent, and its length is known beforehand.

    Args:
        file: what is sent, from its beginning.
        held: closed whatever ends the response; the file among it.
        name: under which a browser keeps it.
    """

    def __init__(self, file: IO[bytes], held: ExitStack, *, name: str) -> None:
        super().__init__(_chunks(file), "application/zip", name=name)
        self.headers["Content-Length"] = str(file.seek(0, 2))
        file.seek(0)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._held:
            await super().__call__(scope, receive, send)


def _written(name: str) -> str:
    quoted = quote(name)
    return f'filename="{name}"' if quoted == name else f"filename*=UTF-8''{quoted}"


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
