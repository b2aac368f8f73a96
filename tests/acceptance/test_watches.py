"""Watches as their users meet them: the command, the form, the sweep, the digest, the budget."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support import asking
from tests.support.stack import Stack, last_run

ON = "AR01566006373894848513"


@pytest.fixture(scope="module", autouse=True)
def no_sweep_by_schedule(stack: Stack) -> Iterator[None]:
    """A sweep by its schedule would be in the way of those here."""
    sweep = "process-all-active-watches"
    found = asking.get(f"{stack.api_url}/deployments/name/{sweep}/{sweep}").json()
    deployment = f"{stack.api_url}/deployments/{found['id']}"
    asking.post(f"{deployment}/pause_deployment").raise_for_status()
    yield
    asking.post(f"{deployment}/resume_deployment").raise_for_status()


def watches(stack: Stack) -> dict[str, dict[str, Any]]:
    """The watches by name, as `adspark watch list` tells them to a program."""
    done = stack.adspark("watch", "list", "--json")
    assert done.returncode == 0, done.stderr
    return {one["definition"]["name"]: one for one in json.loads(done.stdout)["watches"]}


def test_a_watch_is_created_checked_and_shown_with_its_advertisers_name(stack: Stack) -> None:
    created = stack.adspark("watch", "create", "shoes", ON, "--budget", "100")
    assert created.returncode == 0, created.stderr
    assert "at most 3,600 searches a month" in created.stdout
    watch_id = watches(stack)["shoes"]["id"]
    checked = stack.adspark("run", "process-watch", "-p", f"watch_id={watch_id}")
    assert checked.returncode == 0, checked.stderr
    assert "40 known from the start; coverage complete" in checked.stdout
    found = watches(stack)["shoes"]
    assert (found["advertisers"], found["coverage"], found["creatives"]) == (
        ["On AG"],
        "complete",
        40,
    )
    assert "On AG" in stack.adspark("watch", "show", "shoes").stdout
    budget = json.loads(stack.adspark("budget", "--json").stdout)
    (line,) = [one for one in budget["watches"] if one["name"] == "shoes"]
    assert (line["billed"], line["monthly_budget"]) == (1, 100)
    assert budget["plan"] == "AdSpark Sandbox"


def test_the_form_of_the_ui_creates_a_watch_and_the_sweep_looks_at_it(
    stack: Stack, page: Page
) -> None:
    found = asking.get(f"{stack.api_url}/deployments/name/save-watch/save-watch").json()
    page.goto(f"{stack.ui_url}/deployments/deployment/{found['id']}/run")
    name, text, region = (page.locator("textarea").nth(index) for index in range(3))
    region.wait_for()
    name.fill("from the form")
    text.fill("hubspot.com")
    region.fill("US")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**?tab=Runs", timeout=180_000)
    assert last_run(stack, "save-watch")["state_type"] == "COMPLETED"
    definition = watches(stack)["from the form"]["definition"]
    assert (definition["text"], definition["region"]) == ("hubspot.com", "2840")
    assert definition["is_active"]

    swept = stack.adspark("run", "process-all-active-watches")
    assert swept.returncode == 0, swept.stderr
    assert watches(stack)["from the form"]["coverage"] == "complete"
    newest = {"sort": "CREATED_DESC", "artifacts": {"key": {"any_": ["sweep"]}}}
    artifact, *_ = asking.post(f"{stack.api_url}/artifacts/filter", json=newest).json()
    page.goto(f"{stack.ui_url}/artifacts/artifact/{artifact['id']}")
    page.get_by_text(re.compile("due watch(es)? checked")).first.wait_for(timeout=180_000)


def test_the_digest_is_a_page_in_the_ui(stack: Stack, page: Page) -> None:
    sent = stack.adspark("run", "send-digest")
    assert sent.returncode == 0, sent.stderr
    newest = {"sort": "CREATED_DESC", "artifacts": {"key": {"any_": ["digest"]}}}
    artifact, *_ = asking.post(f"{stack.api_url}/artifacts/filter", json=newest).json()
    page.goto(f"{stack.ui_url}/artifacts/artifact/{artifact['id']}")
    page.get_by_role("heading", name="AdSpark digest").wait_for(timeout=180_000)


def test_a_file_of_watches_is_imported_once_and_changes_nothing_the_second_time(
    stack: Stack,
) -> None:
    file = stack.home / "watches.yaml"
    file.write_text("watches:\n- name: norway\n  text: on.com\n  region: NO\n")
    assert "1 created" in stack.adspark("watch", "import", str(file)).stdout
    assert "1 unchanged" in stack.adspark("watch", "import", str(file)).stdout
    assert watches(stack)["norway"]["definition"]["region"] == "2578"
    assert "norway" in stack.adspark("watch", "export").stdout


def test_an_unknown_watch_fails_with_the_remedy_and_no_traceback(stack: Stack) -> None:
    done = stack.adspark("run", "process-watch", "-p", "watch_id=4711")
    assert done.returncode == 1
    assert "There is no watch 4711; list them with: adspark watch list" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
