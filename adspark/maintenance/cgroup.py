"""The memory that the control group around us may take, and whether something was killed at that.

Linux has it in the files of its control groups, of version 2 or 1; elsewhere there is no bound.
A container sees its own group at the root of the file system of groups, any other process at the
path that `/proc/self/cgroup` names.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_LIMITS = {"memory": "memory.limit_in_bytes", "": "memory.max"}
_EVENTS = {"memory": "memory.oom_control", "": "memory.events"}
_NO_LIMIT = 1 << 60  # bytes; version 1 says a huge number


class MemoryBound:
    """The bound of this process's group, watched from now on.

    Args:
        groups: where the groups are mounted.
        own: where it is said which of them this process is in.
    """

    def __init__(self, groups: Path = _GROUPS, own: Path = _OWN) -> None:
        self._groups = groups
        self._own = own
        self._kills = self._count_kills()

    @property
    def limit(self) -> int | None:
        """In bytes; None where there is none."""
        text = self._read(_LIMITS).strip()
        return int(text) if text.isdigit() and int(text) < _NO_LIMIT else None

    def has_killed(self) -> bool:
        """Whether a process was killed since this was made, because the group wanted more."""
        return self._count_kills() > self._kills

    def _count_kills(self) -> int:
        words = self._read(_EVENTS).split()
        return int(words[words.index("oom_kill") + 1]) if "oom_kill" in words else 0

    def _read(self, names: dict[str, str]) -> str:
        for kind, folder in self._find_folders():
            with suppress(OSError):
                return (folder / names[kind]).read_text()
        return ""

    def _find_folders(self) -> Iterator[tuple[str, Path]]:
        """Where the files may be, with their kind: that of version 1, or none."""
        for kind, path in self._read_own():
            yield kind, self._groups / kind / path
        yield "", self._groups
        yield "memory", self._groups / "memory"

    def _read_own(self) -> Iterator[tuple[str, str]]:
        text = ""
        with suppress(OSError):
            text = self._own.read_text()
        for line in text.splitlines():
            _, _, rest = line.partition(":")
            kinds, _, path = rest.partition(":")
            if not kinds or "memory" in kinds.split(","):
                yield "memory" if kinds else "", path.lstrip("/")
