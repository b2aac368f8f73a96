"""A process of its own in which pictures are worked on, one after the other: asked, and killed.

What it does is a program beneath `adspark` that serves a socket, as `adspark.media.decoder` does:
a picture that takes too much, or breaks a library, ends that process and nothing else.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    ServiceUnavailableError,
    UnusableContentError,
)
from adspark.media.picture_server import receive, send

_TIMEOUT = 180.0  # seconds; its limit of CPU time ends a process long before, unless it waits
_END_TIMEOUT = 60.0  # seconds until a process that has closed its socket has ended
# The rest of the environment may hold keys; a run's id lets its worker find what it has left.
_ENVIRONMENT = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TMPDIR|LD_LIBRARY_PATH|PYTHON\w+|PREFECT__FLOW_RUN_ID"
)

Answer = tuple[dict[str, Any], bytes]


@dataclass(frozen=True)
class PictureProgram:
    """What a process runs, and how its errors name what it does to a picture."""

    module: str  # the program
    name: str  # of it, as "decoder of pictures"
    verb: str  # as "decode"
    participle: str  # as "decoded"


class PictureProcess:
    """One process of a program."""

    def __init__(self, program: PictureProgram) -> None:
        """Start it.

        Raises:
            ServiceUnavailableError: this machine cannot start it now.
        """
        self._program = program
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(_TIMEOUT)
        with theirs:
            try:
                self._process = self._start(theirs.fileno())
            except OSError as error:
                self._channel.close()
                raise ServiceUnavailableError(
                    f"The {program.name} cannot be started: {error.strerror or error}."
                ) from error

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", self._program.module, str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[descriptor],
            env={k: v for k, v in os.environ.items() if _ENVIRONMENT.fullmatch(k)}
            | {"MALLOC_ARENA_MAX": "2"},  # an arena for each thread would use up addresses
            cwd="/",
            start_new_session=True,  # Ctrl-C is this process's to handle
        )

    def ask(self, content: bytes, request: dict[str, Any]) -> Answer:
        """What it makes of a picture: facts, and bytes.

        Raises:
            UnusableContentError: the picture is harmful.
            ServiceUnavailableError: this machine lacks time or memory for it.
            ConfigurationError: the program does not start.
        """
        try:
            send(self._channel, request, content)
            return receive(self._channel)
        except TimeoutError as error:
            raise ServiceUnavailableError(
                f"The picture was not {self._program.participle} within {_TIMEOUT:g} s; "
                "this machine is too busy."
            ) from error
        except ValueError as error:
            raise UnusableContentError(
                f"The picture makes the {self._program.name} answer nonsense."
            ) from error
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
        name, verb = self._program.name, self._program.verb
        try:
            code = self._process.wait(_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            return ServiceUnavailableError(f"The {name} hangs.")
        if code == -signal.SIGKILL:
            return ServiceUnavailableError(
                f"The process that {verb}s a picture was killed, perhaps for lack of memory."
            )
        if code == -signal.SIGXCPU:
            return UnusableContentError(
                f"The picture takes more than {seconds} s of computing to {verb}."
            )
        if code < 0:
            return UnusableContentError(f"The picture makes the {name} crash.")
        return ConfigurationError(f"The {name} does not run (exit code {code}).")
