"""Standard input as lines that a signal interrupts, which no thread that waits for a byte is."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from anyio import AsyncFile

_LONGEST = 4_000_000  # bytes of a line


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
    async for line in reader:
        yield line.decode(errors="replace")
