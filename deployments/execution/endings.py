"""Why a run's process ended, in the words of the run's last state.

A process that was killed from outside is a loss: its run is Crashed and is started again. One that
ended by itself would do so again: its run is Failed, with what it said last.
"""

import re
import signal
from collections.abc import Sequence

from prefect.client.schemas.objects import State
from prefect.states import Crashed, Failed

from adspark.text.redaction import redact_foreign
from adspark.text.terminal import plain
from orchestration.limits.time_limits import KILLED_AT_LAST, KILLED_LATE, TIMED_OUT
from orchestration.runs.requeue import out_of_memory

SERVER_AWAY = 75
"""Exit code (EX_TEMPFAIL) of a run's process that could not begin, for the server was away."""

_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}
TERMINATED = "Its process was terminated from outside (SIGTERM)."
_IN_PREFECTS_WORDS = (
    "Execution was cancelled by the runtime environment.",
    "Execution was aborted by a termination signal.",
)
_SHELL = 128  # a shell adds the signal to it
_LOG_LINE = re.compile(r"[\d:.]+ \| (DEBUG|INFO) ")  # of Prefect's own log; of what went well
_MOST_LINES = 5
_MOST_CHARACTERS = 500


def explain_end(
    code: int,
    *,
    was_terminated: bool = False,
    memory: int | None,
    lacked_memory: bool,
    last_lines: Sequence[str],
) -> State:
    """The state of a run whose process has ended and has recorded none itself.

    Args:
        code: its exit code; negative is a signal.
        was_terminated: whether it was sent SIGTERM before.
        memory: its bound in bytes, where it is known.
        lacked_memory: whether something was killed at that bound meanwhile.
        last_lines: of its output.
    """
    number = -code if code < 0 else code - _SHELL
    killed_by = signal.Signals(number) if number in set(signal.Signals) else None
    if killed_by is signal.SIGKILL and lacked_memory:
        return Crashed(message=out_of_memory(memory))
    if killed_by is signal.SIGKILL and was_terminated:
        return Crashed(message=TERMINATED)
    if killed_by in _FROM_OUTSIDE:
        return Crashed(message=f"Its process was killed from outside ({killed_by.name}).")
    if code == SERVER_AWAY:
        return Crashed(message="Prefect's server did not answer when it was to begin.")
    if code == TIMED_OUT or any(line.startswith(KILLED_AT_LAST) for line in last_lines):
        return Failed(name="TimedOut", message=KILLED_LATE)
    how = killed_by.name if killed_by else f"exit code {code}"
    return Failed(message=f"Its process ended by itself ({how}){_quote(last_lines)}")


def _quote(last_lines: Sequence[str]) -> str:
    """The end of an output, as it can be shown to anybody."""
    said = [line for line in last_lines if line.strip() and not _LOG_LINE.match(line)]
    text = redact_foreign(plain("\n".join(said)))
    text = "\n".join(text.splitlines()[-_MOST_LINES:])
    return f": {text[-_MOST_CHARACTERS:].strip()}" if text else " and said nothing."


def is_vague(state: State) -> bool:
    """Whether a run has crashed for a signal, and says so in Prefect's words."""
    return state.is_crashed() and state.message in _IN_PREFECTS_WORDS


def explain_no_start(error: BaseException | None, message: str) -> State:
    """The state of a run whose process could not be started: Failed where there is nothing to
    start, else Crashed; with this message where the error is not known."""
    if error is None:
        return Crashed(message=message)
    why = redact_foreign(plain(f"{type(error).__name__}: {error}"))[:_MOST_CHARACTERS]
    is_missing = isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError)
    state = Failed if is_missing else Crashed
    return state(message=f"Its process could not be started: {why}")
