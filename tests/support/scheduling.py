"""Which tests belong on one worker of a parallel run, and in which order workers take them."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Acceptance tests that do not use the running stack which the others share: each by itself.
_ALONE = ("test_benchmarks", "test_crash", "test_surroundings", "test_sweep_crash")
# Those that start a stack of their own for all tests of the file.
_WITH_THEIR_OWN = ("test_documentation", "test_stack")
# These mostly wait for processes, pages and time limits; the longest of them begin first.
_WAITING = ("stack", "tests/acceptance/test_documentation", "tests/integration/rendering/",
            "tests/acceptance/")  # fmt: skip


def scope_of(nodeid: str) -> str:
    """What a worker gets at once: all that shares the stack, one that is alone, else a file."""
    path = nodeid.partition("::")[0]
    if not path.startswith("tests/acceptance/"):
        return path
    name = path.rpartition("/")[2].removesuffix(".py")
    if name in _WITH_THEIR_OWN:
        return path
    return nodeid if name in _ALONE else "stack"


def arrange(items: list[pytest.Item]) -> None:
    """Bring them into the order in which workers take them.

    Those that wait are spread among those that compute, so that the cores are busy all the time.
    Flows come together, for they share a Prefect server; the short ones come last, so that no
    worker is left with a long one at the end.
    """
    scopes: dict[str, None] = dict.fromkeys(scope_of(item.nodeid) for item in items)
    waiting = [one for start in _WAITING for one in scopes if one.startswith(start)]
    waiting = list(dict.fromkeys(waiting))
    flows = [one for one in scopes if one.startswith("tests/flows/")]
    short = [one for one in scopes if one.startswith("tests/unit/")]
    computing = [one for one in scopes if one not in {*waiting, *flows, *short}]
    places = {one: number / len(waiting) for number, one in enumerate(waiting)}
    places |= {one: number / len(computing) for number, one in enumerate(computing)}
    places |= dict.fromkeys(flows, 2.0) | dict.fromkeys(short, 3.0)
    items.sort(key=lambda item: places[scope_of(item.nodeid)])


class ScopeScheduling(LoadScopeScheduling):
    """Gives workers whole scopes, in the order in which the tests were collected."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
