"""The memory bound and its kills, as the files of both versions of control groups tell them."""

from pathlib import Path

import pytest

from adspark.maintenance.cgroup import MemoryBound

MB = 2**20
# Where the group's files are below the mount, and what the process is told to be in.
PLACES = {
    "version 2, a container": ("", "0::/", "memory.max", "memory.events"),
    "version 2, a service": (
        "system.slice/worker.service",
        "0::/system.slice/worker.service",
        "memory.max",
        "memory.events",
    ),
    "version 1, a container": (
        "memory",
        "5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/",
        "memory.limit_in_bytes",
        "memory.oom_control",
    ),
    "version 1, a service": (
        "memory/system.slice/worker.service",
        "4:memory:/system.slice/worker.service\n0::/",
        "memory.limit_in_bytes",
        "memory.oom_control",
    ),
}


@pytest.fixture(params=list(PLACES.values()), ids=list(PLACES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, MemoryBound, str]:
    """A group with a bound of 512 MB in which one was killed before; its file of events."""
    below, own, limit, events = request.param
    folder = tmp_path / "groups" / below
    folder.mkdir(parents=True)
    (folder / limit).write_text(f"{512 * MB}\n")
    (tmp_path / "own").write_text(own)
    write_kills(folder / events, 1)
    return folder / events, MemoryBound(tmp_path / "groups", tmp_path / "own"), limit


def write_kills(file: Path, number: int) -> None:
    """What the kernel writes."""
    if file.name == "memory.events":
        file.write_text(f"low 0\nhigh 0\nmax 12\noom 2\noom_kill {number}\noom_group_kill 0\n")
    else:
        file.write_text(f"oom_kill_disable 0\nunder_oom 0\noom_kill {number}\n")


def test_a_kill_is_one_that_came_after_the_watch_began(
    place: tuple[Path, MemoryBound, str],
) -> None:
    events, bound, _ = place
    assert (bound.limit, bound.has_killed()) == (512 * MB, False)
    write_kills(events, 2)
    assert bound.has_killed()


def test_no_bound_is_told_as_none(place: tuple[Path, MemoryBound, str]) -> None:
    events, bound, limit = place
    unbounded = "max\n" if limit == "memory.max" else "9223372036854771712\n"
    (events.parent / limit).write_text(unbounded)
    assert bound.limit is None


def test_without_groups_there_is_no_bound_and_no_kill(tmp_path: Path) -> None:
    bound = MemoryBound(tmp_path / "groups", tmp_path / "own")
    assert (bound.limit, bound.has_killed()) == (None, False)
