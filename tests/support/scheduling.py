"""Which tests belong on one worker of a parallel run, and in which order workers take them."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Acceptance tests that do not use the running stack which the others share: each by itself.
_ALONE = ("test_benchmarks", "test_crash", "test_surroundings", "test_sweep_crash")
# Those that start a stack of their own for all tests of the file.
_WITH_THEIR_OWN = ("test_documentation", "test_stack")
# The longest begin first, so that no worker is left with one of them at the end.
_FIRST = ("stack", "tests/acceptance/", "tests/integration/rendering/", "tests/flows/")


def scope_of(nodeid: str) -> str:
    """What a worker gets at once: all that shares the stack, one that is alone, else a file."""
    path = nodeid.partition("::")[0]
    if not path.startswith("tests/acceptance/"):
        return path
    name = path.rpartition("/")[2].removesuffix(".py")
    if name in _WITH_THEIR_OWN:
        return path
    return nodeid if name in _ALONE else "stack"


def place_in_order(item: pytest.Item) -> int:
    """Where its scope stands among the others."""
    scope = scope_of(item.nodeid)
    return next((n for n, start in enumerate(_FIRST) if scope.startswith(start)), len(_FIRST))


class ScopeScheduling(LoadScopeScheduling):
    """Gives workers whole scopes, in the order in which the tests were collected."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
