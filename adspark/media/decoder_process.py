"""The processes in which pictures are decoded (`picture_decoder`): started, asked, and killed.

A process decodes one picture at a time; it is kept for the next one, for its start takes longer
than most pictures do, and replaced once a picture has ended it. Idle ones end with this process.
"""

import asyncio
import atexit
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    ServiceUnavailableError,
    UnusableContentError,
)
from adspark.media.decoder import LENGTHS

_AT_ONCE = 2  # pictures of one process; each may take the decoder's whole memory
_WALL_LIMIT = 180.0  # seconds; its limit of CPU time ends a decoder long before, unless it waits
_END_LIMIT = 60.0  # seconds until a process that has closed its socket is gone
_MOST_TOLD = 64 * 1024  # bytes of an answer's facts
_MOST_GIVEN = 256 * 1024 * 1024  # bytes of an answer's picture
# The rest of the environment may hold keys; a run's id lets its worker find what it has left.
_ENVIRONMENT = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TMPDIR|LD_LIBRARY_PATH|PYTHON\w+|PREFECT__FLOW_RUN_ID"
)


class _Decoder:
    """One process."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(_WALL_LIMIT)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "adspark.media.decoder", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={k: v for k, v in os.environ.items() if _ENVIRONMENT.fullmatch(k)}
                | {"MALLOC_ARENA_MAX": "2"},  # an arena for each thread would use up addresses
                cwd="/",
                start_new_session=True,  # Ctrl-C is this process's to handle
            )

    def ask(self, content: bytes, wish: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The facts of a picture, and what is wished of it.

        Raises:
            UnusableContentError: it ends its process.
            ServiceUnavailableError: somebody else has ended that, or there is no time for it.
            ConfigurationError: the decoder does not start.
        """
        told = json.dumps(wish).encode()
        try:
            self._channel.sendall(LENGTHS.pack(len(told), len(content)) + told)
            self._channel.sendall(content)
            told_size, given_size = LENGTHS.unpack(self._receive(LENGTHS.size))
            if told_size > _MOST_TOLD or given_size > _MOST_GIVEN:
                raise UnusableContentError("The picture makes its decoder answer nonsense.")
            facts: dict[str, Any] = json.loads(self._receive(told_size))
            return facts, self._receive(given_size)
        except TimeoutError as error:
            raise ServiceUnavailableError(
                f"The picture was not decoded within {_WALL_LIMIT:g} s; this machine is too busy."
            ) from error
        except ValueError as error:
            raise UnusableContentError("The picture makes its decoder answer nonsense.") from error
        except (OSError, EOFError) as error:
            raise self._explain_end(wish["seconds"]) from error

    @property
    def is_alive(self) -> bool:
        """Whether nobody has ended it."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once, whatever it is at."""
        self._process.kill()

    def close(self) -> None:
        """End it, and leave nothing of it."""
        self.kill()
        self._channel.close()
        self._process.wait()

    def _receive(self, size: int) -> bytes:
        received = bytearray(size)
        view, at = memoryview(received), 0
        while at < size:
            count = self._channel.recv_into(view[at:])
            if not count:
                raise EOFError
            at += count
        return bytes(received)

    def _explain_end(self, seconds: int) -> AdSparkError:
        try:
            code = self._process.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            return ServiceUnavailableError("The decoder of pictures hangs.")
        if code == -signal.SIGKILL:
            return ServiceUnavailableError(
                "The process that decodes a picture was killed, perhaps for lack of memory."
            )
        if code == -signal.SIGXCPU:
            return UnusableContentError(
                f"The picture takes more than {seconds} s of computing to decode."
            )
        if code < 0:
            return UnusableContentError("The picture makes its decoder crash.")
        return ConfigurationError(f"The decoder of pictures does not run (exit code {code}).")


class _Job:
    """One picture that is decoded in a thread, and that somebody may give up meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoder: _Decoder | None = None
        self._is_given_up = False

    def take(self, decoder: _Decoder) -> None:
        """Have this decoder killed with the job."""
        with self._lock:
            self._decoder = decoder
            if self._is_given_up:
                decoder.kill()

    def release(self) -> None:
        """The decoder is another's from now on."""
        with self._lock:
            self._decoder = None

    def give_up(self) -> None:
        """End the work, now or before it begins."""
        with self._lock:
            self._is_given_up = True
            if self._decoder is not None:
                self._decoder.kill()


_idle: list[_Decoder] = []
_turns = threading.BoundedSemaphore(_AT_ONCE)
os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's


def decode(
    content: bytes, wish: dict[str, Any], job: _Job | None = None
) -> tuple[dict[str, Any], bytes]:
    """Have a picture decoded; as `picture_decoder.develop`.

    Raises:
        UnusableContentError: it is no picture, broken, too large, or harmful.
        ServiceUnavailableError: this machine lacks time or memory for it.
        ConfigurationError: the decoder does not start.
    """
    job = job or _Job()
    with _turns:
        decoder = _get()
        job.take(decoder)
        try:
            facts, given = decoder.ask(content, wish)
        except BaseException:
            decoder.close()
            raise
        finally:
            job.release()
        if facts["is_last"]:
            decoder.close()
        else:
            _idle.append(decoder)
    if "refused" in facts:
        raise UnusableContentError(str(facts["refused"]))
    return facts, given


def _get() -> _Decoder:
    """An idle one, or a new one."""
    with suppress(IndexError):
        while True:
            decoder = _idle.pop()
            if decoder.is_alive:
                return decoder
            decoder.close()
    try:
        return _Decoder()
    except OSError as error:
        raise ServiceUnavailableError(
            f"The decoder of pictures cannot be started: {error.strerror or error}."
        ) from error


async def decode_aside(content: bytes, wish: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """As `decode`, in a thread; a cancellation ends the decoder."""
    job = _Job()
    try:
        return await asyncio.to_thread(decode, content, wish, job)
    except asyncio.CancelledError:
        job.give_up()
        raise


def close_idle() -> None:
    """End the decoders that have nothing to do; the next picture gets a new one."""
    while _idle:
        with suppress(IndexError):
            _idle.pop().close()


atexit.register(close_idle)
