"""A process is known beyond its number, whatever becomes of the clock meanwhile."""

import os

import psutil
import pytest

from adspark.home.processes import ProcessId


@pytest.mark.parametrize("moved", [-2.0, -1.0, 0.0, 1.0, 2.0])
def test_a_process_is_the_same_after_the_clock_was_set_a_little(moved: float) -> None:
    started = psutil.Process().create_time()
    found = ProcessId(pid=os.getpid(), created=started + moved).find()
    assert found == psutil.Process()


def test_a_later_process_of_the_same_number_is_another_one() -> None:
    started = psutil.Process().create_time()
    assert ProcessId(pid=os.getpid(), created=started - 60).find() is None
