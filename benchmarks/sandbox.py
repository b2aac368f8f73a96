"""The sandbox in a process of its own, as its own command serves it, on a free port."""

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel

_READY = re.compile(r"at (\S+) with key ([^\s;]+)")


class Sandbox(BaseModel):
    """A served catalogue of generated advertisers."""

    url: str
    key: str


@contextmanager
def running_sandbox(
    *, advertisers: int, creatives: int, cached_for: float = 3600
) -> Iterator[Sandbox]:
    """A sandbox; it answers a repeat from its cache for `cached_for` seconds."""
    command = [
        *(sys.executable, "-m", "adspark.sandbox", "--port", "0"),
        *("--generated-advertisers", str(advertisers)),
        *("--creatives-per-advertiser", str(creatives)),
        *("--monthly-quota", "1000000", "--hourly-limit", "1000000"),
        *("--cached-for", str(cached_for)),
        *("--api-key", secrets.token_hex(32)),  # as SerpApi's: no word that stands in answers
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            ready = process.stdout.readline() if process.stdout else ""
            if not (found := _READY.search(ready)):
                raise RuntimeError("the sandbox did not start")
            yield Sandbox(url=found[1], key=found[2])
        finally:
            process.terminate()
