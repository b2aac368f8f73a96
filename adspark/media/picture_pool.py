"""Processes in which pictures are worked on, kept from one picture to the next.

A process works on one picture at a time. It is kept for the next one, for it takes longer to start
than most pictures do, and ends with this process.
"""

import asyncio
import atexit
import os
import threading
from contextlib import suppress
from typing import Any

from adspark.errors import UnusableContentError
from adspark.media.picture_process import Answer, PictureProcess, PictureProgram


class PicturePool:
    """The processes of one program.

    Args:
        program: what they run.
        at_once: pictures of this process; each may take the program's whole memory.
    """

    def __init__(self, program: PictureProgram, *, at_once: int) -> None:
        self._program = program
        self._idle: list[PictureProcess] = []
        self._turns = threading.BoundedSemaphore(at_once)
        os.register_at_fork(after_in_child=self._idle.clear)  # they are the parent's
        atexit.register(self.close_idle)

    async def ask(self, content: bytes, request: dict[str, Any]) -> Answer:
        """What a process makes of a picture: facts, and bytes. A cancellation ends the process.

        Raises:
            UnusableContentError: the program refuses the picture, or it is harmful.
            ServiceUnavailableError: this machine lacks time or memory for it.
            ConfigurationError: the program does not start.
        """
        job = _Job()
        try:
            return await asyncio.to_thread(self._ask, content, request, job)
        except asyncio.CancelledError:
            job.cancel()
            raise

    def close_idle(self) -> None:
        """End the processes that have nothing to do; the next picture gets a new one."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _ask(self, content: bytes, request: dict[str, Any], job: "_Job") -> Answer:
        with self._turns:
            process = self._get()
            job.use(process)
            try:
                facts, output = process.ask(content, request)
            except BaseException:
                process.close()
                raise
            finally:
                job.use(None)
            if facts["is_last"]:
                process.close()
            else:
                self._idle.append(process)
        if "refused" in facts:
            raise UnusableContentError(str(facts["refused"]))
        return facts, output

    def _get(self) -> PictureProcess:
        """An idle one, or a new one."""
        with suppress(IndexError):
            while True:
                process = self._idle.pop()
                if process.is_alive:
                    return process
                process.close()
        return PictureProcess(self._program)


class _Job:
    """One picture that a thread has worked on, and that may be cancelled meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: PictureProcess | None = None
        self._is_cancelled = False

    def use(self, process: PictureProcess | None) -> None:
        """From now on a cancellation ends this process."""
        with self._lock:
            self._process = process
            if process is not None and self._is_cancelled:
                process.kill()

    def cancel(self) -> None:
        """End the work, now or before it begins."""
        with self._lock:
            self._is_cancelled = True
            if self._process is not None:
                self._process.kill()
