"""Retries and time limits are those of the settings when a task is called, not at its import."""

import asyncio
from collections.abc import Iterator

import pytest
from prefect import flow, task

from adspark.errors import AdSparkError, ConfigurationError, NoRoomError, ServiceUnavailableError
from adspark.settings import get_settings
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit

attempts: list[str] = []
ERRORS: dict[str, type[AdSparkError]] = {
    "temporary": ServiceUnavailableError,
    "no room": NoRoomError,
    "permanent": ConfigurationError,
}


@retried_task()
async def fails(error: str) -> None:
    attempts.append(error)
    raise ERRORS[error](error)


@retried_task()
@time_limit("fetch_time_limit")
async def sleeps() -> None:
    attempts.append("slept")
    await asyncio.sleep(60)


@task
@time_limit("fetch_time_limit")
async def raises_its_own() -> None:
    raise TimeoutError("somebody else's")


@flow
async def work(what: str) -> None:
    if what == "sleeps":
        await sleeps()
    elif what == "raises its own":
        await raises_its_own()
    else:
        await fails(what)


@flow
@time_limit("sweep_time_limit")
async def limited(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@pytest.fixture(autouse=True)
def changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings that change after everything is imported."""
    attempts.clear()
    for name, value in (("RETRY_DELAYS", "0.01,0.01,0.01"), ("FETCH_TIME_LIMIT", "1")):
        monkeypatch.setenv(f"ADSPARK_{name}", value)
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


async def test_a_temporary_error_is_retried_as_often_as_the_settings_say_now(
    changed: pytest.MonkeyPatch,
) -> None:
    assert (await work("temporary", return_state=True)).is_failed()
    assert len(attempts) == 4
    changed.setenv("ADSPARK_RETRY_DELAYS", "0.01")
    get_settings.cache_clear()
    assert (await work("temporary", return_state=True)).is_failed()
    assert len(attempts) == 4 + 2
    assert (await work("permanent", return_state=True)).is_failed()
    assert len(attempts) == 4 + 2 + 1


async def test_a_run_does_not_wait_for_room_on_a_disk() -> None:
    assert (await work("no room", return_state=True)).is_failed()
    assert len(attempts) == 1


async def test_an_attempt_ends_at_the_time_limit_of_now_and_is_retried() -> None:
    state = await work("sleeps", return_state=True)
    assert (state.name, len(attempts)) == ("TimedOut", 4)
    assert "its time limit of 1 s is over" in (state.message or "")


async def test_a_time_out_of_something_else_is_told_as_it_is() -> None:
    state = await work("raises its own", return_state=True)
    assert "somebody else's" in (state.message or "")


async def test_a_flow_has_the_time_limit_of_now(changed: pytest.MonkeyPatch) -> None:
    assert await limited(0.0) == 0.0
    changed.setenv("ADSPARK_SWEEP_TIME_LIMIT", "1")
    get_settings.cache_clear()
    state = await limited(60.0, return_state=True)
    assert (state.name, "limit of 1 s" in (state.message or "")) == ("TimedOut", True)
