"""Standard input as lines that a signal interrupts, which no thread that waits for a byte is."""

import asyncio
import json
import logging
import os
import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from anyio import AsyncFile

_LOG = logging.getLogger(__name__)
_LONGEST = 4_000_000  # bytes of a line
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@asynccontextmanager
async def open_standard_input() -> AsyncIterator[AsyncFile[str] | None]:
    """The lines; None for a file or device, which lets nobody wait and is read as it is.

    Meanwhile children of this process find nothing on theirs.
    """
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0)):
        yield None
        return
    taken = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    reader = asyncio.StreamReader(limit=_LONGEST)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(taken, "rb", buffering=0)
    )
    try:
        yield cast("AsyncFile[str]", _lines(reader))  # of it no more than its lines are used
    finally:
        transport.close()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # what is left of the line is no message either, and is passed over
            _LOG.warning("A line of more than %d bytes is passed over.", _LONGEST)
            continue
        if not line:
            return
        yield _whole(line.decode(errors="replace"))


def _whole(line: str) -> str:
    """The line without halves of characters (`\\ud800`), for which it would be no message at all,
    and whoever has sent it would wait for an answer."""
    if not _HALF.search(line):
        return line
    try:
        message = json.dumps(json.loads(line), ensure_ascii=False)
    except (ValueError, RecursionError):
        return line
    return message.encode(errors="replace").decode()
