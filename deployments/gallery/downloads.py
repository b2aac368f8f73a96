"""Downloads: they are written whole to a temporary file, and sent from it.

So nothing of the database is held while bytes are sent, however slow their reader, and what stands
in the way of one is said before its first byte.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO
from urllib.parse import quote

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_CHUNK = 256 * 1024  # bytes


class Download(StreamingResponse):
    """A file, sent as a download.

    Args:
        file: what is sent, from its beginning.
        held: closed whatever ends the response; the file among it.
        kind: media type.
        name: under which a browser keeps it.
    """

    def __init__(self, file: IO[bytes], held: ExitStack, *, kind: str, name: str) -> None:
        size = file.seek(0, 2)
        file.seek(0)
        headers = {
            "Content-Disposition": f"attachment; {_written(name)}",
            "Content-Length": str(size),
            "Cache-Control": "no-store",
            # Compressing it would keep this process from all other readers.
            "Content-Encoding": "identity",
        }
        super().__init__(_chunks(file), media_type=kind, headers=headers)
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
