"""The memory that the container around us may take, and whether something was killed at that.

Linux tells it in the files of its control groups, of version 2 or 1; elsewhere there is no bound.
"""

from contextlib import suppress
from pathlib import Path

_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
_EVENTS = ("memory.events", "memory/memory.oom_control")
_NO_LIMIT = 1 << 60  # bytes; version 1 says a huge number


def read_limit(groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The bound in bytes; None where there is none."""
    text = _read(groups, _LIMITS).strip()
    return int(text) if text.isdigit() and int(text) < _NO_LIMIT else None


def count_kills(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """How many processes were killed here because they wanted more."""
    words = _read(groups, _EVENTS).split()
    return int(words[words.index("oom_kill") + 1]) if "oom_kill" in words else 0


def _read(groups: Path, names: tuple[str, str]) -> str:
    for name in names:
        with suppress(OSError):
            return (groups / name).read_text()
    return ""
