"""An installation of 0.1, with data and with what people changed, upgraded as the changelog says.

`database_0_1.sql` and `server_0_1.json` are what 0.1 itself left: its stack on the sandbox, two
watches and their first look, a variant with its review, a board; and on Prefect's server a clean-up
with another schedule, parameter and tag, a paused sweep, an automation, a wider pool and rate.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from prefect.client.base import PrefectHttpxSyncClient
from prefect.settings import PREFECT_API_URL
from typer.testing import CliRunner

from adspark.db import migrate
from adspark.db.revisions import newest
from deployments.cli.main import app
from deployments.queue_classes import QUEUE_CLASSES
from tests.support.commanding import Command, checked

pytestmark = pytest.mark.usefixtures("no_pools_stay", "nothing_stays", "environment")

HERE = Path(__file__).parent
LEFT = json.loads((HERE / "server_0_1.json").read_text())
DATA = ("watch", "creative", "creative_event", "fetch", "ad_variant", "variant_feedback", "board",
        "board_creative", "watch_creative")  # fmt: skip
CLEANUP = "cleanup-old-creatives"


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """The database that 0.1 left."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute((HERE / "database_0_1.sql").read_bytes())
    return empty_database_url


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Prefect's server as 0.1 left it."""
    url = str(PREFECT_API_URL.value())
    monkeypatch.setenv("PREFECT_API_URL", url)
    # It asks again where the server's SQLite is busy (503).
    with PrefectHttpxSyncClient(base_url=url, timeout=600, enable_csrf_support=False) as client:
        kinds = ("automations", "deployments", "work_pools", "v2/concurrency_limits", "variables")
        for kind in kinds:
            for one in read(client, kind):
                key = one["name"] if kind == "work_pools" else one["id"]
                client.delete(f"/{kind}/{key}").raise_for_status()
        for pool in LEFT["pools"]:
            create(client, "work_pools", pool)
        for limit in LEFT["limits"]:
            create(client, "v2/concurrency_limits", limit)
        for variable in LEFT["variables"]:
            create(client, "variables", variable)
        made = {}
        for left in LEFT["deployments"]:
            flow = create(client, "flows", {"name": left["flow"]})
            body = left | {"flow_id": flow["id"]}
            del body["flow"]
            made[f"{left['flow']}/{left['name']}"] = create(client, "deployments", body)["id"]
        for left in LEFT["automations"]:
            actions = [
                one | {"deployment_id": made[one["deployment_id"]]} for one in left["actions"]
            ]
            create(client, "automations", left | {"actions": actions})
        yield client


def create(client: httpx.Client, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    response = client.post(f"/{kind}/", json=body)
    response.raise_for_status()
    created: dict[str, Any] = response.json()
    return created


def read(client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    response = client.post(f"/{kind}/filter", json={})
    response.raise_for_status()
    found: list[dict[str, Any]] = response.json()
    return found


def adspark(*arguments: str) -> Any:  # noqa: ANN401  (JSON)
    """What the command says to a program."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    if result.exception:
        raise result.exception
    return checked(result.stdout, " ".join(arguments[:2]))


def count_rows(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        statement = "SELECT count(*) FROM {}"
        return {
            name: connection.execute(statement.format(f'"{name}"')).fetchall()[0][0]
            for name in DATA
        }


def test_no_data_are_lost(database_url: str) -> None:
    before = count_rows(database_url)
    assert min(before.values()) > 0
    done = adspark("db", "upgrade")
    assert (done["changed"], done["revision"]) == (True, newest())
    assert migrate.differences(database_url) == []
    assert count_rows(database_url) == before

    watches = {one["definition"]["name"]: one for one in adspark("watch", "list")["watches"]}
    assert {name: one["creatives"] for name, one in watches.items()} == {
        "New Balance": 40,
        "hubspot": 3,
    }
    assert watches["New Balance"]["definition"]["monthly_budget"] == 800
    found = Command("ads").given("search", "--domain", "hubspot.com")
    assert len(found["ads"]) == 3
    variant = adspark("variant", "show", "1")
    assert variant["prompt"] == "Create a summer-themed version"
    assert [one["comment"] for one in variant["reviews"]] == ["The headline is better"]
    assert [one["name"] for one in adspark("board", "list")["boards"]] == ["spring"]
    assert adspark("db", "upgrade")["changed"] is False


def test_what_people_changed_on_the_server_is_carried_over(
    database_url: str, server: httpx.Client
) -> None:
    adspark("db", "upgrade")
    adspark("provision")
    flows = {one["id"]: one["name"] for one in read(server, "flows")}
    found = {f"{flows[one['flow_id']]}/{one['name']}": one for one in read(server, "deployments")}
    ours = [flow.name for pool in QUEUE_CLASSES for flow in pool.flows]
    probes = [f"probe/{pool.name}" for pool in QUEUE_CLASSES]
    assert sorted(found) == sorted([*(f"{name}/{name}" for name in ours), *probes])

    cleanup = found[f"{CLEANUP}/{CLEANUP}"]
    assert cleanup["parameters"] == {"days_old": 365}
    assert "team-a" in cleanup["tags"]
    (schedule,) = cleanup["schedules"]
    assert (schedule["schedule"]["cron"], schedule["active"]) == ("0 5 * * 0", True)
    assert schedule["schedule"]["timezone"] == "Europe/Berlin"
    paused = [name for name, one in found.items() if one["paused"]]
    assert paused == ["process-all-active-watches/process-all-active-watches"]

    started = {one["name"]: one["actions"][0] for one in read(server, "automations")}
    digest = found["send-digest/send-digest"]["id"]
    assert started["digest at a news"]["deployment_id"] == digest
    pools = {one["name"]: one["concurrency_limit"] for one in read(server, "work_pools")}
    assert pools["data-fetch"] == 4
    limits = {one["name"]: one["limit"] for one in read(server, "v2/concurrency_limits")}
    assert limits["serpapi-searches"] == 20
    assert adspark("provision")["changes"] == []
