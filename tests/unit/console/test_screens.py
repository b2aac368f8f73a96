"""What `adspark top` looks like: each screen as a picture, on 80 columns and on a wide terminal.

After a wanted change the pictures are made anew with `pytest --snapshot-update`.
"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect import State
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Completed, Failed, Running, Scheduled
from prefect.types import DateTime
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.image import SVGImageSnapshotExtension
from textual.widgets import DataTable

from adspark.db.engine import Database
from adspark.settings import Settings
from adspark.watches.searches_left import SearchesLeft
from deployments.console.app import ConsoleApp
from deployments.console.data import SlowView, View
from deployments.operations.monitoring import Snapshot
from deployments.operations.rates import Rate
from deployments.operations.runs.failures import FailureGroup
from deployments.queue_classes import POOL_NAMES
from orchestration.server.pool_health import Problem
from orchestration.server.pool_snapshot import PoolSnapshot

_NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
_FLOWS = {UUID(int=1): "fetch-creatives", UUID(int=2): "generate-ad-variant"}
_STATES = {
    StateType.COMPLETED: Completed,
    StateType.FAILED: Failed,
    StateType.RUNNING: Running,
    StateType.SCHEDULED: Scheduled,
}
_LONG = "SerpApi answered 429: 12,000 of 12,000 searches are used in this month 広告 [bold]"


def pool(name: str) -> PoolSnapshot:
    """A pool in which all is well; data-fetch is late, ai-generation paused, with failures."""
    found = PoolSnapshot(
        name=name, is_paused=False, is_ready=True, slots=2, done=5, failed_last_hour=0
    )
    if name == "data-fetch":
        return found.model_copy(
            update={"running": 2, "scheduled": 3, "late": 12, "oldest_late": 754.0}
        )
    if name == "ai-generation":
        return found.model_copy(update={"is_paused": True, "slots": 1, "failed_last_hour": 4})
    return found


def run(number: int, state_type: StateType, *, name: str, message: str = "") -> FlowRun:
    """A run that began at noon, where it has begun."""
    state: State = _STATES[state_type](message=message)
    begun = None if state_type is StateType.SCHEDULED else DateTime.fromisoformat(_NOON.isoformat())
    return FlowRun(
        id=UUID(int=number),
        flow_id=UUID(int=1 + number % 2),
        name=name,
        work_pool_name="ai-generation" if number % 2 else "data-fetch",
        state=state,
        state_type=state.type,
        state_name=state.name,
        start_time=begun,
        expected_start_time=DateTime.fromisoformat(_NOON.isoformat()),
        total_run_time=timedelta(seconds=21 * number),
    )


def view() -> View:
    """Runs in every state, a failure, a limit that is reached, and a pool that is late."""
    runs = [
        run(1, StateType.RUNNING, name="hubspot.com, page 2"),
        run(2, StateType.FAILED, name="weekly look", message=_LONG),
        run(3, StateType.SCHEDULED, name="quiet-otter"),
        run(4, StateType.COMPLETED, name="広告の取得"),
    ]
    failure = FailureGroup(
        key="a1b2c3",
        cause=_LONG,
        flow="fetch-creatives",
        pool="data-fetch",
        kind="Failed",
        runs=[UUID(int=2)],
        first=_NOON,
        last=datetime.now(UTC) - timedelta(hours=5, minutes=30),
        example=_LONG,
    )
    rates = [Rate(name="searches", a_minute=60, used=60), Rate(name="generations", a_minute=None)]
    return View(
        snapshot=Snapshot(
            at=_NOON, pools=[pool(name) for name in POOL_NAMES], rates=rates, searches_left=1
        ),
        problems=[
            Problem(
                what="12 runs are late in data-fetch, the oldest for 13 min",
                remedy="adspark scale data-fetch 3",
            )
        ],
        runs=runs,
        flows=_FLOWS,
        failures=[failure],
        at=_NOON,
    )


class Still(ConsoleApp):
    """The console on what was read at noon."""

    def __init__(self) -> None:
        super().__init__(
            PrefectClient("http://127.0.0.1:1/api"),
            Database("postgresql:///unread"),
            SearchesLeft(Settings()),
        )

    async def read(self) -> View:
        return view()

    async def read_slowly(self) -> SlowView:
        return SlowView(dict.fromkeys(POOL_NAMES, 1) | {"maintenance": 0}, [])


@pytest.mark.parametrize("size", [(80, 24), (140, 30)], ids=["80", "140"])
@pytest.mark.parametrize(
    "keys",
    [["1"], ["2"], ["3"], ["question_mark"], ["2", "c"], ["g"]],
    ids=["pools", "runs", "failures", "help", "cancel", "look_up"],
)
async def test_a_screen_looks_as_before(
    keys: list[str], size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    app = Still()
    async with app.run_test(size=size) as pilot:
        while app.view is None or "0" not in str(
            app.query_one("#pools-table", DataTable).get_row("maintenance")[1]
        ):
            await pilot.pause(0.05)
        await pilot.press(*keys)
        await pilot.pause()
        await pilot.wait_for_scheduled_animations()
        drawn = re.sub(r"terminal-\d+", "terminal", app.export_screenshot())
    assert drawn == snapshot(extension_class=SVGImageSnapshotExtension)
