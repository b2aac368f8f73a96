"""The side of a process for pictures that serves: requests over a socket, each within its bounds.

Its parent has the other end (`picture_process`). Nothing of ours and no library is imported here,
for every process that has pictures decoded imports it.
"""

import json
import math
import os
import resource
import socket
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_LENGTHS = struct.Struct(">IQ")  # before each message: bytes of its JSON, and of its picture
_MAX_FACTS = 64 * 1024  # bytes
_MAX_CONTENT = 256 * 1024 * 1024  # bytes
_MOST_RESIDENT = 256 * 1024 * 1024  # bytes of memory after which a process ends, to give them back

Work = Callable[[bytes, dict[str, Any]], tuple[dict[str, Any], bytes]]


class RefusedError(Exception):
    """A picture that cannot be used; the message is for a person."""


def send(channel: socket.socket, facts: dict[str, Any], content: bytes) -> None:
    """Send a message.

    Args:
        channel: to the other process.
        facts: what JSON can hold.
        content: a picture, or nothing.
    """
    encoded = json.dumps(facts).encode()
    channel.sendall(_LENGTHS.pack(len(encoded), len(content)) + encoded)
    channel.sendall(content)


def receive(channel: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The facts and the content of a message.

    Raises:
        EOFError: the other end is closed.
        ValueError: it is too large, or not a message.
    """
    facts_size, content_size = _LENGTHS.unpack(_receive_exactly(channel, _LENGTHS.size))
    if facts_size > _MAX_FACTS or content_size > _MAX_CONTENT:
        raise ValueError("the message is too large")
    facts: dict[str, Any] = json.loads(_receive_exactly(channel, facts_size))
    return facts, _receive_exactly(channel, content_size)


def _receive_exactly(channel: socket.socket, size: int) -> bytes:
    received = bytearray(size)
    view, at = memoryview(received), 0
    while at < size:
        count = channel.recv_into(view[at:])
        if not count:
            raise EOFError
        at += count
    return bytes(received)


def _limit() -> None:
    for name in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(name, (0, 0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")  # where memory ends, this goes first


def _allow(seconds: int, megabytes: int) -> None:
    """Bound this process from now on; past that time of computing it is killed."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime) + seconds
    for name, limit in ((resource.RLIMIT_CPU, until), (resource.RLIMIT_AS, megabytes * 2**20)):
        _, hard = resource.getrlimit(name)
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        with suppress(OSError, ValueError):  # macOS bounds no addresses; pixels are bounded
            resource.setrlimit(name, (soft, hard))


def _serve_one(channel: socket.socket, work: Work, most_resident: int) -> bool:
    """Respond to one request; False where this process is to end with it."""
    request, content = receive(channel)
    _allow(request["seconds"], request["memory"])
    try:
        facts, output = work(content, request)
    except RefusedError as error:
        facts, output = {"refused": str(error)}, b""
    except MemoryError:
        refused = f"The picture takes more than {request['memory']} MB of memory."
        facts, output = {"refused": refused}, b""
    facts["is_last"] = _resident() > most_resident
    send(channel, facts, output)
    return not facts["is_last"]


def _resident() -> int:
    """Bytes of memory that this process has or, where that cannot be read, had at most."""
    with suppress(OSError), open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def serve(descriptor: int, work: Work, *, most_resident: int = _MOST_RESIDENT) -> None:
    """Serve the socket of this number until its other end is closed.

    Args:
        descriptor: of the socket.
        work: makes facts and bytes of a picture and a request, which has `seconds` and `memory`.
        most_resident: bytes of memory from which on this process ends, to give them back.
    """
    channel = socket.socket(fileno=descriptor)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # some libraries write there
    warnings.simplefilter("ignore")
    _limit()
    while channel.recv(1, socket.MSG_PEEK):
        if not _serve_one(channel, work, most_resident):
            break
