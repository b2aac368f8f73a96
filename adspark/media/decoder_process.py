"""The processes in which pictures are decoded (`decoder`): started, used, and killed.

A process decodes one picture at a time. It is kept for the next one, for it takes longer to start
than most pictures do, and ends with this process.
"""

import asyncio
import atexit
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
from adspark.media.decoder import receive, send

_AT_ONCE = 2  # pictures of one process; each may take the decoder's whole memory
_TIMEOUT = 180.0  # seconds; its limit of CPU time ends a decoder long before, unless it waits
_END_TIMEOUT = 60.0  # seconds until a process that has closed its socket has ended
# The rest of the environment may hold keys; a run's id lets its worker find what it has left.
_ENVIRONMENT = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TMPDIR|LD_LIBRARY_PATH|PYTHON\w+|PREFECT__FLOW_RUN_ID"
)


class _Decoder:
    """One process."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(_TIMEOUT)
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

    def decode(self, content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The facts of a picture, and the output that is requested; raises as `decode`."""
        try:
            send(self._channel, request, content)
            return receive(self._channel)
        except TimeoutError as error:
            raise ServiceUnavailableError(
                f"The picture was not decoded within {_TIMEOUT:g} s; this machine is too busy."
            ) from error
        except ValueError as error:
            raise UnusableContentError("The picture makes its decoder answer nonsense.") from error
        except (OSError, EOFError) as error:
            raise self._explain_end(request["seconds"]) from error

    @property
    def is_alive(self) -> bool:
        """Whether nobody has ended it."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def close(self) -> None:
        """End it, and leave nothing of it."""
        self.kill()
        self._channel.close()
        self._process.wait()

    def _explain_end(self, seconds: int) -> AdSparkError:
        try:
            code = self._process.wait(_END_TIMEOUT)
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
    """One picture that is decoded in a thread, and may be cancelled meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoder: _Decoder | None = None
        self._is_cancelled = False

    def use(self, decoder: _Decoder | None) -> None:
        """From now on a cancellation ends this decoder."""
        with self._lock:
            self._decoder = decoder
            if decoder is not None and self._is_cancelled:
                decoder.kill()

    def cancel(self) -> None:
        """End the work, now or before it begins."""
        with self._lock:
            self._is_cancelled = True
            if self._decoder is not None:
                self._decoder.kill()


_idle: list[_Decoder] = []
_turns = threading.BoundedSemaphore(_AT_ONCE)
os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's


async def decode(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Have a picture decoded; as `decoder.decode_picture`. A cancellation ends the decoder.

    Raises:
        UnusableContentError: it is no picture, broken, too large, or harmful.
        ServiceUnavailableError: this machine lacks time or memory for it.
        ConfigurationError: the decoder does not start.
    """
    job = _Job()
    try:
        return await asyncio.to_thread(_decode, content, request, job)
    except asyncio.CancelledError:
        job.cancel()
        raise


def _decode(content: bytes, request: dict[str, Any], job: _Job) -> tuple[dict[str, Any], bytes]:
    with _turns:
        decoder = _get()
        job.use(decoder)
        try:
            facts, output = decoder.decode(content, request)
        except BaseException:
            decoder.close()
            raise
        finally:
            job.use(None)
        if facts["is_last"]:
            decoder.close()
        else:
            _idle.append(decoder)
    if "refused" in facts:
        raise UnusableContentError(str(facts["refused"]))
    return facts, output


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


def close_idle() -> None:
    """End the decoders that have nothing to do; the next picture gets a new one."""
    while _idle:
        with suppress(IndexError):
            _idle.pop().close()


atexit.register(close_idle)
