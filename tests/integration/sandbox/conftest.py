"""A sandbox for the tests of a file, as it is at its start for each; its clock stands still."""

from collections.abc import Iterator

import pytest

from adspark.sandbox.settings import SandboxSettings
from tests.support.sandbox_client import Client, MovedClock, visit


@pytest.fixture(scope="module")
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(scope="module")
def running(clock: MovedClock) -> Iterator[Client]:
    """The sandbox of a file, which may have one of its own."""
    with visit(SandboxSettings(clock=clock, generated_advertisers=2)) as client:
        yield client


@pytest.fixture
def sandbox(running: Client, clock: MovedClock) -> Client:
    """A sandbox as it is at its start."""
    clock.now = MovedClock().now
    running.http.post("/sandbox/reset")
    return running
