"""What the end of a run's process is told as, from its exit code and what is known beside it."""

import pytest
from prefect.client.schemas.objects import State

from deployments.execution.endings import SERVER_AWAY, explain_end, explain_no_start
from orchestration.limits.time_limits import TIMED_OUT
from orchestration.runs.requeue import is_lost

MEMORY = 512 * 2**20
OUT_OF_MEMORY = "Out of memory: it was killed at its limit of 512 MB."


@pytest.mark.parametrize(
    ("code", "lacked_memory", "name", "told", "lost"),
    [
        (-9, True, "Crashed", OUT_OF_MEMORY, False),
        (137, True, "Crashed", OUT_OF_MEMORY, False),  # as a container tells it
        (-9, False, "Crashed", "Its process was killed from outside (SIGKILL).", True),
        (137, False, "Crashed", "Its process was killed from outside (SIGKILL).", True),
        (-15, False, "Crashed", "Its process was killed from outside (SIGTERM).", True),
        # Something else in the group was killed, and it ended by itself.
        (1, True, "Failed", "Its process ended by itself (exit code 1): No space left", False),
        (-11, False, "Failed", "Its process ended by itself (SIGSEGV): No space left", False),
        (0, False, "Failed", "Its process ended by itself (exit code 0): No space left", False),
        (255, False, "Failed", "Its process ended by itself (exit code 255)", False),
        (TIMED_OUT, False, "TimedOut", "It had not ended after its time limit", False),
        (SERVER_AWAY, False, "Crashed", "Prefect's server did not answer", True),
    ],
)
def test_the_cause_is_found_in_the_exit_code(
    code: int, lacked_memory: bool, name: str, told: str, lost: bool
) -> None:
    said = ["12:00:01.123 | INFO    | prefect - begun", "", "No space left"]
    state = explain_end(code, memory=MEMORY, lacked_memory=lacked_memory, last_lines=said)
    assert (state.name, is_lost(state)) == (name, lost)
    assert (state.message or "").startswith(told)


def test_code_that_lets_no_other_thread_run_is_told_as_too_late() -> None:
    said = ["Timeout (0:00:36)!", "Thread 0x00007f (most recent call first):", "  File x"]
    assert explain_end(1, memory=None, lacked_memory=False, last_lines=said).name == "TimedOut"


def test_last_words_are_short_clean_and_without_secrets() -> None:
    said = [*"abcdefg", "x" * 600, "Bearer abcdef123456", "\x1b[31mred"]
    message = explain_end(3, memory=None, lacked_memory=False, last_lines=said).message or ""
    assert len(message) < 600
    assert "abcdef" not in message
    assert message.endswith("Bearer ***\n [31mred")


@pytest.mark.parametrize(
    ("error", "name", "told"),
    [
        (FileNotFoundError(2, "No such file", "gone"), "Failed", "FileNotFoundError: [Errno 2]"),
        (BlockingIOError(11, "no more processes"), "Crashed", "BlockingIOError: [Errno 11]"),
    ],
)
def test_a_process_that_cannot_be_started_is_lost_unless_there_is_none(
    error: Exception, name: str, told: str
) -> None:
    state: State = explain_no_start(error, "")
    assert state.name == name
    assert (state.message or "").startswith(f"Its process could not be started: {told}")
