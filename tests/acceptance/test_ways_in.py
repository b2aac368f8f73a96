"""The ways in: command, Prefect's command, Python, the UI's form and a plain call agree."""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page

from tests.support import asking
from tests.support.stack import Stack, last_run

LULULEMON = "AR01614014350098432001"
SHOWN = {"advertiser_ids": LULULEMON, "region": "US", "page_size": 25, "max_pages": 2}
COUNTS = ("new", "changed", "unchanged", "rejected", "pages", "stop_reason")


def counts(summary: dict[str, Any]) -> dict[str, Any]:
    """What a summary says of a fetch that finds everything known already."""
    return {name: summary[name] for name in COUNTS}


@pytest.fixture(scope="module")
def known(stack: Stack) -> dict[str, Any]:
    """The summary of `adspark run`, after the ads have been fetched once."""
    parameters = [f"-p{name}={json.dumps(value)}" for name, value in SHOWN.items()]
    first = stack.adspark("run", "fetch-creatives", *parameters, "--json")
    assert first.returncode == 0, first.stderr
    second = stack.adspark("run", "fetch-creatives", *parameters, "--json")
    assert second.returncode == 0, second.stderr
    summary: dict[str, Any] = json.loads(second.stdout)["result"]
    assert counts(json.loads(first.stdout)["result"])["new"] == summary["unchanged"] > 25
    assert summary["searches_billed"] == 0
    return counts(summary)


def result_of(stack: Stack, flow_run_id: str) -> dict[str, Any]:
    """The persisted result of a run, as a program reads it."""
    script = (
        "import json, sys; from prefect.client.orchestration import get_client; import asyncio\n"
        "async def main():\n"
        "    async with get_client() as client:\n"
        f"        run = await client.read_flow_run('{flow_run_id}')\n"
        "        print(json.dumps(await run.state.aresult()))\n"
        "asyncio.run(main())"
    )
    return python(stack, script)


def python(stack: Stack, script: str) -> dict[str, Any]:
    """What a Python program of a user's prints last, as JSON."""
    prefix = f"import os; os.environ['PREFECT_API_URL'] = '{stack.api_url}'\n"
    done = stack.run(sys.executable, "-c", prefix + script)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return printed


def test_run_deployment_gives_the_same_summary(stack: Stack, known: dict[str, Any]) -> None:
    script = (
        "import json; from prefect.deployments import run_deployment\n"
        "name = 'fetch-creatives/fetch-creatives'\n"
        f"run = run_deployment(name, parameters={SHOWN!r}, timeout=300)\n"
        "print(json.dumps(run.state.result()))"
    )
    assert counts(python(stack, script)) == known


def test_a_plain_call_gives_the_same_summary(stack: Stack, known: dict[str, Any]) -> None:
    script = (
        "import asyncio; from flows.fetch_creatives import fetch_creatives\n"
        f"print(asyncio.run(fetch_creatives(**{SHOWN!r})).model_dump_json())"
    )
    assert counts(python(stack, script)) == known


def test_adspark_fetch_gives_the_same_summary(stack: Stack, known: dict[str, Any]) -> None:
    done = stack.adspark(
        "fetch", LULULEMON, "--region=US", "--page-size=25", "--max-pages=2", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert counts(json.loads(done.stdout.strip().splitlines()[-1])) == known


def test_prefects_own_command_gives_the_same_summary(stack: Stack, known: dict[str, Any]) -> None:
    prefect = str(Path(sys.executable).parent / "prefect")
    parameters = [f"-p{name}={value}" for name, value in SHOWN.items()]
    done = stack.run(
        "env", f"PREFECT_API_URL={stack.api_url}", prefect, "deployment", "run",
        "fetch-creatives/fetch-creatives", *parameters, "--watch",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run_id = next(
        str(UUID(word))
        for line in done.stdout.splitlines()
        if "UUID" in line
        for word in line.split()
        if len(word) == 36
    )
    assert counts(result_of(stack, run_id)) == known


def test_the_form_of_the_ui_gives_the_same_summary(
    stack: Stack, known: dict[str, Any], page: Page
) -> None:
    found = asking.get(f"{stack.api_url}/deployments/name/fetch-creatives/fetch-creatives").json()
    page.goto(f"{stack.ui_url}/deployments/deployment/{found['id']}/run")
    page.get_by_role("button", name="Add item").click()
    advertiser, _text, region = (page.locator("textarea").nth(index) for index in range(3))
    region.wait_for()  # only now the added item is the first
    advertiser.fill(LULULEMON)
    region.fill("US")
    page.locator("input[type=number]").nth(0).fill("25")
    page.locator("input[type=number]").nth(1).fill("2")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**?tab=Runs", timeout=180_000)
    run = last_run(stack, "fetch-creatives")
    assert run["parameters"]["advertiser_ids"] == [LULULEMON]
    assert run["state_type"] == "COMPLETED"
    assert counts(result_of(stack, run["id"])) == known


def test_the_new_ads_are_a_table_among_the_artifacts(
    stack: Stack, known: dict[str, Any], page: Page
) -> None:
    done = stack.adspark("run", "fetch-creatives", "-p", "text=tesla.com", "--json")
    assert json.loads(done.stdout)["result"]["new"] == 3
    assert "Finished in state" not in done.stderr  # its state is said once
    newest = {"sort": "CREATED_DESC", "artifacts": {"key": {"like_": "new-creatives-tesla-com-"}}}
    artifact, *_ = asking.post(f"{stack.api_url}/artifacts/filter", json=newest).json()
    page.goto(f"{stack.ui_url}/artifacts/artifact/{artifact['id']}")
    page.get_by_text("Tesla Inc.").first.wait_for(timeout=180_000)
    assert page.get_by_text("3 new").first.is_visible()


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["fetch"], "advertiser_ids: give at least one", 2),
        (["fetch", "--text=x.com", "--region=Germny"], "did you mean 'Germany'", 2),
        (["fetch", "--text=x.com", "--start-date=2026-02-02", "--end-date=2026-01-01"],
         "--end-date: 2026-01-01 lies before start_date", 2),
        (["fetch", "AR1"], "is not an advertiser id", 2),
        (["run", "fetch-creatives"], "advertiser_ids: give at least one", 2),
        (["run", "fetch-creatives", "-p", "text=x.com", "-p", "region=Germny"], "Germany", 2),
        (["run", "fetch-creatives", "-p", "colour=red"], "colour: fetch-creatives has", 2),
        (["run", "fetch-creative"], "did you mean 'fetch-creatives'", 2),
        (["run", "fetch-creatives", "-p", "text"], "is not NAME=VALUE", 2),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_and_no_search(
    stack: Stack, arguments: list[str], message: str, code: int
) -> None:
    before = asking.get(f"{stack.sandbox_url}/sandbox/stats").json()["requests"]
    done = stack.adspark(*arguments)
    assert done.returncode == code, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in done.stdout + done.stderr
    assert asking.get(f"{stack.sandbox_url}/sandbox/stats").json()["requests"] == before


def test_a_failure_here_and_now_is_one_line_without_a_traceback(stack: Stack) -> None:
    asking.put(f"{stack.sandbox_url}/sandbox/faults", json=[{"kind": "quota_429"}])
    try:
        done = stack.adspark("fetch", "--text=example.com")
    finally:
        asking.put(f"{stack.sandbox_url}/sandbox/faults", json=[])
    assert done.returncode == 1
    assert "Error: SerpApi: no searches are left" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


WHERE = """
import json, os
import flows
from prefect.settings import get_current_settings
from adspark.settings import get_settings, media_url
settings = get_settings()
own = settings.database_url
print(json.dumps({
    "server": get_current_settings().api.url, "database": own and own.get_secret_value(),
    "trusted": settings.trusted_hosts, "media": media_url(settings),
    "proxies": os.environ["NO_PROXY"],
}))
"""
ELSEWHERE = "http://127.0.0.1:9/api"
OTHER_DATABASE = "postgresql://other@127.0.0.1:9/other"


def test_python_finds_the_stack_and_what_is_set_explicitly_stays(stack: Stack) -> None:
    def told(*assignments: str, program: str = WHERE) -> dict[str, Any]:
        done = stack.run("env", *assignments, sys.executable, "-c", program)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    state = json.loads((stack.home / "stack.json").read_text())
    here = told("HTTP_PROXY=http://127.0.0.1:9", "ALL_PROXY=socks5://127.0.0.1:9")
    trusted = stack.sandbox_url.removeprefix("http://")
    assert here["server"] == stack.api_url
    assert (here["trusted"], here["media"]) == ([trusted], f"{state['home']}/media")
    assert here["database"] == state["database_url"]
    assert "127.0.0.1" in here["proxies"]
    assert told(program=f"import prefect.main\n{WHERE}")["server"] == stack.api_url

    other = told(f"PREFECT_API_URL={ELSEWHERE}")
    assert (other["server"], other["database"], other["trusted"]) == (ELSEWHERE, None, [])
    other = told(f"ADSPARK_DATABASE_URL={OTHER_DATABASE}")
    assert (other["server"], other["database"]) == (None, OTHER_DATABASE)
    assert told("ADSPARK_TRUSTED_HOSTS=a:1")["trusted"] == ["a:1"]
    alone = told(f"ADSPARK_HOME={stack.home}/nothing")
    assert (alone["server"], alone["database"], alone["trusted"]) == (None, None, [])
