"""Dead letters: failures by cause, and their retries."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.states import Cancelled, Completed, Crashed, Failed, Running
from typer.testing import CliRunner

from adspark.errors import ConfigurationError
from deployments.cli.main import app as cli
from deployments.cli.runs.failure_selection import choose_failures
from deployments.operations.runs.failures import find_cause, read_failures, retry_runs
from deployments.operations.runs.report import read_report
from flows.generate_pending_variants import generate_pending_variants
from orchestration.runs.flow_runs import WEEK
from tests.support.queued import open_pools, queue

WRAPPED = "Flow run encountered an exception: ServiceUnavailableError: SerpApi failed (HTTP 503)"


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools."""
    async with open_pools() as opened:
        yield opened


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (f"{WRAPPED} after 12.5 s", "ServiceUnavailableError: SerpApi failed (HTTP 503) after # s"),
        ("Task run encountered an exception KeyError: 'a'", "KeyError: 'a'"),
        ("variant 17 waits: 3 a day", "variant # waits: # a day"),
        ("run 0f9b1c1e-9a1d-4c0e-8f3a-2b1c5d7e9f00 died", "run # died"),
        ("no answer at db.example:5432 or 10.0.0.7", "no answer at <address> or <address>"),
        ("GET https://u:secret@h/x?api_key=abc failed", "GET <address> failed"),
        ("at 2026-11-23T20:36:42.7Z,\nthen never", "at #, then never"),
        ("AR17828074650563772417 is unknown", "AR# is unknown"),
        ("", "no message"),
    ],
)
def test_a_cause_is_the_message_without_what_differs(message: str, cause: str) -> None:
    assert find_cause(message) == cause


async def test_failures_are_grouped_by_cause_newest_first(
    client: PrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.runs.flow_runs.PAGE", 2)  # pages without hundreds of runs
    first, second, mended, crashed = await queue(
        client,
        Failed(message="watch 1 is gone"),
        Failed(message="watch 22 is gone"),
        Failed(message="watch 3 is gone"),
        Crashed(message="killed"),
    )
    (other,) = await queue(
        client, Failed(name="Postponed"), flow=generate_pending_variants, pool="ai-generation"
    )
    await client.set_flow_run_state(mended.id, Completed(), force=True)
    postponed, killed, gone = await read_failures(client)
    assert (postponed.kind, postponed.cause, postponed.runs) == (
        "Postponed",
        "no message",
        [other.id],
    )
    assert (killed.kind, killed.pool, killed.runs) == ("Crashed", "data-fetch", [crashed.id])
    assert (gone.flow, gone.cause, gone.example) == ("probe", *["watch 22 is gone"] * 2)
    assert gone.runs == [second.id, first.id]
    assert gone.first == first.end_time
    assert gone.last == second.end_time
    assert len({group.key for group in (postponed, killed, gone)}) == 3
    assert (await read_failures(client, pools=["data-fetch"]))[1].key == gone.key
    only = await read_failures(client, flow="generate-pending-variants")
    assert [group.runs for group in only] == [[other.id]]


async def test_the_newest_runs_own_words_are_shown_with_their_remedy(
    client: PrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "region: 'XQ' is none. Give an ISO code such as US or a SerpApi code (2840), see\x1b[31m"
    )
    await queue(
        client,
        Failed(message=words.replace("2840", "2276")),
        Failed(message=f"{words}\n https://serpapi.com/regions {'x' * 5000}"),
        Failed(message=f"{words}\n https://serpapi.com/locations {'x' * 5000}"),
    )
    monkeypatch.setenv("PREFECT_API_URL", str(client.api_url))
    listed = await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["failures"]).stdout)
    flat = " ".join(listed.split())
    assert "(2840), see" in flat
    assert "#" not in flat
    assert "<address>" not in flat
    assert "\x1b" not in listed
    assert "Of several runs the newest one's message is shown" in flat
    groups = await read_failures(client)
    assert sorted(len(group.runs) for group in groups) == [1, 2]
    (pair,) = [group for group in groups if len(group.runs) == 2]
    assert "https://serpapi.com/locations x" in pair.cause
    assert len(pair.cause) == 300


async def test_only_what_ended_badly_goes_back_under_its_own_id(client: PrefectClient) -> None:
    ended = await queue(client, Failed(), Crashed(), Cancelled())
    others = await queue(client, Completed(), Running())
    alone = await client.create_flow_run(generate_pending_variants, state=Failed())
    ids = [run.id for run in (*ended, *others, alone)]
    assert await retry_runs(client, ids) == [run.id for run in ended]
    names = [(await client.read_flow_run(one)).state_name for one in ids]
    assert names == ["AwaitingRetry"] * 3 + ["Completed", "Running", "Failed"]
    assert await read_failures(client) == []


async def test_a_person_chooses_by_key_or_by_run_and_is_told_why_not(client: PrefectClient) -> None:
    failed, completed, running = await queue(client, Failed(message="no 1"), Completed(), Running())
    (group,) = await read_failures(client)
    for key in (group.key, str(failed.id), str(failed.id)[:8], failed.name):
        (chosen,) = await choose_failures(client, [key], hours=WEEK)
        assert (chosen.runs, chosen.key) == ([failed.id], group.key)
    for run, why in ((completed, "has completed"), (running, "is Running, not ended")):
        with pytest.raises(ConfigurationError, match=why):
            await choose_failures(client, [str(run.id)], hours=WEEK)
    with pytest.raises(ConfigurationError, match="There is no run 'abcdefg'"):
        await choose_failures(client, ["abcdefg"], hours=WEEK)
    await retry_runs(client, [failed.id])
    with pytest.raises(ConfigurationError, match=r"no failure of this key now.* adspark failures"):
        await choose_failures(client, [group.key], hours=WEEK)
    with pytest.raises(ConfigurationError, match="There is no flow 'nothing'"):
        await choose_failures(client, [], hours=WEEK, flow="nothing")


async def test_a_run_whose_deployment_is_gone_is_not_retried_and_its_remedy_is_named(
    client: PrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = await queue(client, Failed(message="of a former deployment"))
    assert run.deployment_id is not None
    await client.update_flow_run(run.id, parameters={"watch": "a b", "api_key": "s3cret-0"})
    await client.delete_deployment(run.deployment_id)
    anew = "adspark run probe -p 'watch=a b' -p 'api_key=***'"

    assert await retry_runs(client, [run.id]) == []
    assert (await client.read_flow_run(run.id)).state_name == "Failed"
    assert (await read_report(client, str(run.id))).remedy[:-1] == [anew]
    with pytest.raises(ConfigurationError, match="of a deployment that is gone") as caught:
        await choose_failures(client, [str(run.id)], hours=WEEK)
    assert str(caught.value).endswith(f"start it anew: {anew}")

    monkeypatch.setenv("PREFECT_API_URL", str(client.api_url))
    words = ["retry", "--all", "--yes"]
    said = await asyncio.to_thread(lambda: CliRunner().invoke(cli, words).stdout)
    assert "Nothing was retried." in said
    assert f"adspark task {run.id}" in " ".join(said.split())


async def test_what_a_retry_would_only_repeat_is_told_and_not_offered(
    client: PrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, variable, unknown, broken, down = await queue(
        client,
        Failed(message="watch_id: is not a whole number."),
        Failed(message="env.PATH: not for a run to choose; remove it from the job variables."),
        Failed(message="Flow run encountered an exception: UnknownWatchError: There is no watch 9"),
        Failed(message="Its flow cannot be loaded: ModuleNotFoundError: No module named 'x'"),
        Failed(message=WRAPPED),
    )
    groups = {group.runs[0]: group for group in await read_failures(client)}
    runs = (wrong, variable, unknown, broken, down)
    again = [run.id for run in runs if groups[run.id].fails_again]
    assert again == [wrong.id, variable.id, unknown.id]

    monkeypatch.setenv("PREFECT_API_URL", str(client.api_url))
    said = await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["failures"]).stdout)
    flat = " ".join(said.split())
    assert "Not to be retried, for their parameters or job variables are wrong: " in flat
    offered = re.findall(r"Retry: adspark retry (\w+)", flat)
    assert offered == [groups[down.id].key]
    assert "adspark run probe -p NAME=VALUE" in flat
    assert "UnknownWatchError: There is no watch 9" in flat
    assert "#" not in flat
    key = groups[wrong.id].key
    said = await asyncio.to_thread(
        lambda: CliRunner().invoke(cli, ["retry", key], input="n").stdout
    )
    assert "a retry keeps them, so that they fail again" in " ".join(said.split())
