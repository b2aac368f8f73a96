"""Every way in which a run can end tells its cause, in its last state and only there."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.states import Cancelling

from adspark.home.processes import ProcessId
from orchestration.runs.requeue import is_lost
from tests.support.contained import Container, ended, make_run, start, state_of, until
from tests.support.forked import fork_and_wait

FLOW = """
import asyncio, os, signal, sys, time
from prefect import flow, task
from orchestration.limits.time_limits import time_limit

@task
@time_limit("cleanup_time_limit")
async def limited() -> None:
    time.sleep(60)

@flow(name="ending")
async def ending(how: str, user_id: int, megabytes: int = 0) -> None:
    if how == "exits":
        print("password=hunter2 and \\x1b[31mred")
        print("the disk is full", flush=True)
        os._exit(3)
    if how == "exits well":
        os._exit(0)
    if how == "is told to exit":
        sys.exit("enough")
    if how == "breaks":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "raises":
        raise ValueError("no such colour")
    if how == "hangs":
        await limited()
    if how == "leaves a thread":
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)
    if how == "eats":
        eaten = [b"1" * 2**20 for _ in range(megabytes)]
        while True:
            eaten.append(b"1" * 2**20)
    if how == "goes on":
        signal.signal(signal.SIGTERM, lambda *_: None)
        open(os.environ["GOES_ON"], "x").close()
    if how == "is busy":
        loop = asyncio.get_running_loop()

        def work() -> None:
            time.sleep(0.01)
            loop.call_soon(work)

        work()
        open(os.environ["GOES_ON"], "x").close()
    if how in ("sleeps", "goes on", "is busy"):
        await asyncio.sleep(60)
    if how == "computes":
        try:
            open(os.environ["GOES_ON"], "x").close()
            while True:
                time.sleep(0.01)
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            open(os.environ["TIDIED"], "x").close()
            raise
    if how == "naps":
        await asyncio.sleep(3)
"""
GIVEN = {"how": "returns", "user_id": 1}


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    async with get_client() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """What a failed test has started would be waited for at the end of all tests."""
    yield
    for process in multiprocessing.active_children():
        process.kill()


async def run_to_end(client: PrefectClient, folder: Path, **parameters: object) -> State:
    """The last state of a run with these parameters."""
    run_id = await make_run(client, folder, FLOW, "ending", **parameters)
    process = await start(run_id, folder)
    await ended(process)
    assert process.returncode == 0
    return await state_of(client, run_id)


async def until_written(file: Path, process: Container) -> None:
    """Wait for a file that the process of a run writes."""
    while not file.exists():
        assert process.returncode is None
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"how": "returns"}, "user_id: is missing."),
        ({}, "how: is missing.\nuser_id: is missing."),
        (
            {**GIVEN, "colour": "red"},
            "colour: ending has no such parameter; it has how, user_id, megabytes.",
        ),
        (
            {**GIVEN, "user_id": "nobody"},
            "user_id: is not a whole number; give it as 3.",
        ),
        ({**GIVEN, "user_id": None}, "user_id: is not a whole number; give it as 3."),
        (
            {"how": 1, "user_id": [], "megabytes": "x"},
            'how: is not a text; give it as "text".\n'
            "user_id: is not a whole number; give it as 3.\n"
            "megabytes: is not a whole number; give it as 3.",
        ),
    ],
    ids=["missing", "an empty form", "removed", "wrong", "null", "several"],
)
async def test_wrong_parameters_fail_a_run_before_it_begins_and_each_is_named(
    client: PrefectClient, tmp_path: Path, parameters: dict[str, object], told: str
) -> None:
    state = await fork_and_wait(
        await make_run(client, tmp_path, FLOW, "ending", **parameters), tmp_path
    )
    assert (state.name, state.message) == ("Failed", told)


SETTINGS_FLOW = """
from pathlib import Path
from prefect import flow
from prefect.settings import get_current_settings

@flow
def shows_settings(file: str):
    settings = get_current_settings()
    Path(file).write_text(f"{settings.logging.level} {settings.tasks.default_retries}")
"""


@pytest.mark.parametrize(
    ("variables", "file", "shown"),
    [
        ({"PREFECT_LOGGING_LEVEL": "ERROR"}, None, "ERROR 0"),
        ({}, "prefect.toml", "INFO 7"),
        ({"PREFECT_LOGGING_LEVEL": "ERROR"}, "prefect.toml", "ERROR 7"),
    ],
)
async def test_a_forked_run_has_the_settings_of_its_environment_and_folder(
    client: PrefectClient, tmp_path: Path, variables: dict[str, str], file: str | None, shown: str
) -> None:
    if file:
        (tmp_path / file).write_text("[tasks]\ndefault_retries = 7\n")
    parameters = {"file": str(tmp_path / "shown")}
    run_id = await make_run(client, tmp_path, SETTINGS_FLOW, "shows_settings", **parameters)
    assert (await fork_and_wait(run_id, tmp_path, **variables)).is_completed()
    assert (tmp_path / "shown").read_text() == shown


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import adspark_gone", "ModuleNotFoundError: No module named 'adspark_gone'"),
        ("from os import gone", "ImportError: cannot import name 'gone' from 'os'"),
        ("def ending(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit('not on this host')", "SystemExit: not on this host"),
        ("key = 1 / 0", "ZeroDivisionError: division by zero"),
        ("", "has no attribute 'ending'"),
    ],
    ids=["missing module", "missing name", "syntax", "exit", "error", "no flow"],
)
async def test_a_flow_that_cannot_be_loaded_fails_its_run_with_the_reason(
    client: PrefectClient, tmp_path: Path, source: str, told: str
) -> None:
    state = await fork_and_wait(await make_run(client, tmp_path, source, "ending"), tmp_path)
    assert state.name == "Failed"
    assert state.message is not None
    assert state.message.startswith("Its flow cannot be loaded: ")
    assert told in state.message


@pytest.mark.parametrize(
    ("how", "name", "told"),
    [
        (
            "exits",
            "Failed",
            "Its process ended by itself (exit code 3): "
            "password=*** and  [31mred\nthe disk is full",
        ),
        ("exits well", "Failed", "Its process ended by itself (exit code 0)"),
        ("breaks", "Failed", "Its process ended by itself (SIGSEGV)"),
        ("is told to exit", "Crashed", "Execution was aborted by Python system exit call."),
        ("raises", "Failed", "Flow run encountered an exception: ValueError: no such colour"),
    ],
)
async def test_a_process_that_ends_by_itself_is_a_failure_and_no_lost_run(
    client: PrefectClient, tmp_path: Path, how: str, name: str, told: str
) -> None:
    state = await run_to_end(client, tmp_path, how=how, user_id=1)
    assert state.name == name
    assert told in (state.message or "")
    assert not is_lost(state)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGKILL, "Its process was killed from outside (SIGKILL)."),
        (signal.SIGTERM, "Its process was terminated from outside (SIGTERM)."),
    ],
)
async def test_a_process_that_is_killed_from_outside_is_a_lost_run(
    client: PrefectClient, tmp_path: Path, number: signal.Signals, told: str
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how="sleeps", user_id=1)
    process = await start(run_id, tmp_path, environment={"ADSPARK_TIDY_UP_TIME": "5"})
    await until(client, run_id, lambda state: state.is_running())
    its_own(process.pid).send_signal(number)
    await ended(process)
    state = await state_of(client, run_id)
    assert (state.name, state.message) == ("Crashed", told)
    assert is_lost(state)


@pytest.mark.parametrize("how", ["is busy", "computes"])
async def test_sigterm_ends_a_run_also_while_its_event_loop_is_at_work(
    client: PrefectClient, tmp_path: Path, how: str
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how=how, user_id=1)
    begun, tidied = tmp_path / "begun", tmp_path / "tidied"
    files = {"GOES_ON": str(begun), "TIDIED": str(tidied)}
    process = await start(run_id, tmp_path, environment={"ADSPARK_TIDY_UP_TIME": "3600", **files})
    await until_written(begun, process)
    its_own(process.pid).send_signal(signal.SIGTERM)
    await ended(process)
    state = await state_of(client, run_id)
    told = "Its process was terminated from outside (SIGTERM)."
    assert (state.name, state.message) == ("Crashed", told)
    assert tidied.exists() == (how == "computes")


async def test_a_run_that_goes_on_after_sigterm_is_killed(
    client: PrefectClient, tmp_path: Path
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how="goes on", user_id=1)
    begun = tmp_path / "begun"
    process = await start(
        run_id, tmp_path, environment={"ADSPARK_TIDY_UP_TIME": "1", "GOES_ON": str(begun)}
    )
    await until_written(begun, process)
    its_own(process.pid).send_signal(signal.SIGTERM)
    await ended(process)
    state = await state_of(client, run_id)
    told = "Its process was terminated from outside (SIGTERM)."
    assert (state.name, state.message) == ("Crashed", told)
    assert is_lost(state)


async def test_a_process_that_is_killed_before_its_run_begins_is_a_lost_run(
    client: PrefectClient, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    source = f"""
import time
from pathlib import Path
if not Path({str(begun)!r}).exists():
    Path({str(begun)!r}).touch()
    time.sleep(60)
"""
    run_id = await make_run(client, tmp_path, source, "ending")
    process = await start(run_id, tmp_path)
    await until_written(begun, process)
    its_own(process.pid).kill()
    await ended(process)
    state = await state_of(client, run_id)
    told = "Its process was killed from outside (SIGKILL)."
    assert (state.name, state.message) == ("Crashed", told)


async def test_a_cancelled_run_is_cancelled_also_where_its_process_dies_at_once(
    client: PrefectClient, tmp_path: Path
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how="sleeps", user_id=1)
    process = await start(run_id, tmp_path)
    await until(client, run_id, lambda state: state.is_running())
    own = its_own(process.pid)
    await client.set_flow_run_state(run_id, Cancelling())
    own.kill()
    await ended(process)
    assert (await state_of(client, run_id)).name == "Cancelled"


async def test_a_run_that_hangs_past_its_time_tells_that(
    client: PrefectClient, tmp_path: Path
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how="hangs", user_id=1)
    limits = {"ADSPARK_CLEANUP_TIME_LIMIT": "1", "ADSPARK_TIDY_UP_TIME": "1"}
    output = await ended(await start(run_id, tmp_path, environment=limits))
    state = await state_of(client, run_id)
    assert state.name == "TimedOut"
    assert state.message == (
        "It had not ended 1 s after its time limit of 1 s, and was killed; the worker's log says "
        "where it was."
    )
    assert "in limited" in output


async def test_a_process_that_something_keeps_alive_is_ended_after_its_run(
    client: PrefectClient, tmp_path: Path
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how="leaves a thread", user_id=1)
    output = await ended(await start(run_id, tmp_path, environment={"ADSPARK_TIDY_UP_TIME": "1"}))
    assert (await state_of(client, run_id)).name == "Completed"
    assert "(most recent call first)" in output  # the log says what it was


@pytest.mark.parametrize("how", ["sleeps", "naps"])
async def test_a_run_that_was_deleted_ends_and_says_so_in_one_line(
    client: PrefectClient, tmp_path: Path, how: str
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how=how, user_id=1)
    limits = {"ADSPARK_TIDY_UP_TIME": "1" if how == "sleeps" else "60"}
    process = await start(run_id, tmp_path, environment=limits)
    await until(client, run_id, lambda state: state.is_running())
    await client.delete_flow_run(run_id)
    output = await ended(process)
    assert process.returncode == 0
    assert output.count(f"Run {run_id} was deleted") == 1
    assert "Traceback" not in output


@pytest.fixture
def bounded(tmp_path: Path) -> Iterator[Path]:
    """A control group of this machine with 300 MB of memory."""
    try:
        (own,) = [
            line.split(":")[2]
            for line in Path("/proc/self/cgroup").read_text().splitlines()
            if "memory" in line.split(":")[1].split(",")
        ]
        group = Path(f"/sys/fs/cgroup/memory{own}") / f"adspark-{tmp_path.name}"
        group.mkdir()
    except (OSError, ValueError):
        pytest.skip("needs root, and control groups of version 1; their files are in unit tests")
    (group / "memory.limit_in_bytes").write_text(str(300 * 2**20))
    yield group
    for pid in (group / "cgroup.procs").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    group.rmdir()


async def test_a_run_past_its_memory_tells_that(
    client: PrefectClient, tmp_path: Path, bounded: Path
) -> None:
    run_id = await make_run(client, tmp_path, FLOW, "ending", how="eats", user_id=1)

    await ended(await start(run_id, tmp_path, group=bounded))
    states = await client.read_flow_run_states(run_id)
    crashed = [one.message for one in states if one.is_crashed()]
    assert crashed == [
        "Out of memory: it was killed at its limit of 300 MB. Request less at once, or give the "
        "runs of its pool more, then: adspark retry"
    ]
    assert not is_lost(await state_of(client, run_id))


def its_own(container: int) -> psutil.Process:
    """The process of a run, under the first one of its container."""
    (own,) = psutil.Process(container).children()
    assert ProcessId.of(own.pid).find() is not None
    return own
