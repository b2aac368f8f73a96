"""Free ports of this machine, for the stacks of benchmarks and tests.

A port that the system picks for port 0 is of the range that it takes for every connection, so
that another process may have it before a stack listens there. These are below that range.
"""

import itertools
import socket
from collections.abc import Iterator
from contextlib import closing
from functools import cache

_FIRST, _LAST = 11_000, 29_999  # browsers refuse 10,080; systems pick from 32,768 or more
_BLOCK = 200


@cache
def _ports() -> Iterator[int]:
    """The ports of a block, over and over, that no other process of benchmarks or tests has."""
    for first in range(_FIRST, _LAST, _BLOCK):
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind(("127.0.0.1", first))  # by UDP, which nothing else here uses; until it ends
        except OSError:
            holder.close()
            continue
        return _while_held(holder, range(first, first + _BLOCK))
    raise RuntimeError(f"All ports from {_FIRST} to {_LAST} are held by other processes")


def _while_held(holder: socket.socket, block: range) -> Iterator[int]:
    with closing(holder):
        yield from itertools.cycle(block)


def free_port() -> int:
    """A port that nobody listens on, and that no other benchmark or test is given meanwhile."""
    for port in itertools.islice(_ports(), _BLOCK):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise RuntimeError("No port of this process's block is free")
