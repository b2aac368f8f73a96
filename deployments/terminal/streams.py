"""The streams that the command writes to and reads from."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path


def prepare_streams(*, as_json: bool) -> None:
    """Let standard output and standard error take whatever is printed.

    One that the caller has closed leads nowhere, as does standard input. JSON is UTF-8 in every
    locale; of what people read a character that the locale's encoding lacks becomes a question
    mark.
    """
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115  (until the end)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  (until the end)
        elif isinstance(stream, TextIOWrapper) and as_json:
            stream.reconfigure(encoding="utf-8")
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_output() -> None:
    """Nothing more is told; nor does Python, as it ends, write what is left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
