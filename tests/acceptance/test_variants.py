"""Variants as users meet them: the command, the form in the UI, a cancelled and a killed run."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.support import asking
from tests.support.stack import Stack, last_run, state

NEW_BALANCE = "AR04323445746671026177"


@pytest.fixture
def ad(stack: Stack) -> Iterator[str]:
    """A stored ad, and a sandbox that behaves again afterwards."""
    fetched = stack.adspark("fetch", NEW_BALANCE, "--json")
    assert fetched.returncode == 0, fetched.stderr
    listed = asking.get(
        f"{stack.sandbox_url}/search.json",
        params={
            "engine": "google_ads_transparency_center",
            "advertiser_id": NEW_BALANCE,
            "api_key": "sandbox-key",
        },
    )
    yield str(listed.json()["ad_creatives"][0]["ad_creative_id"])
    switch_on(stack)


def switch_on(stack: Stack, *faults: dict[str, object]) -> None:
    asking.put(f"{stack.sandbox_url}/sandbox/dify/faults", json=list(faults)).raise_for_status()


def bill(stack: Stack) -> dict[str, Any]:
    counters: dict[str, Any] = asking.get(f"{stack.sandbox_url}/sandbox/dify/stats").json()
    return counters


def shown(stack: Stack, variant_id: int) -> dict[str, Any]:
    done = stack.adspark("variant", "show", str(variant_id), "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def request(stack: Stack, ad: str, prompt: str) -> int:
    """Ask for a variant; a worker takes it up."""
    done = stack.adspark("variant", "request", ad, "--prompt", prompt, "--json")
    assert done.returncode == 0, done.stderr
    asked = json.loads(done.stdout)
    assert asked["started"] == 1
    return int(asked["variants"][0])


def test_a_prompt_longer_than_the_workflow_takes_is_refused_when_it_is_requested(
    stack: Stack, ad: str
) -> None:
    before = stack.adspark("variant", "list", "--json").stdout
    done = stack.adspark("variant", "request", ad, "--prompt", "x" * 7999)
    assert done.returncode != 0
    assert "prompt: 7999 characters; this workflow's input 'prompt' takes at most 2000." in (
        " ".join(done.stderr.split())
    )
    assert stack.adspark("variant", "list", "--json").stdout == before


def until_running(stack: Stack, *, runs: int) -> None:
    """Wait until Dify works on so many."""
    for _ in range(1200):
        if bill(stack)["running"] == runs:
            return
        time.sleep(0.25)
    raise AssertionError(f"not {runs} running: {bill(stack)}")


def test_a_variant_is_requested_reviewed_in_the_form_and_counted(
    stack: Stack, ad: str, page: Page
) -> None:
    arguments = ("variant", "request", ad, "--prompt", "A summer version", "--review", "--wait")
    done = stack.adspark(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["status"], made["confidence_score"]) == ("completed", 1.0)
    opened = Path(stack.adspark("variant", "open", str(made["id"])).stdout.strip())
    with Image.open(opened) as picture, Image.open(original_of(stack, made["id"])) as original:
        assert picture.size == original.size

    run = waiting_review(stack)
    page.goto(f"{stack.ui_url}/runs/flow-run/{run['id']}")
    page.get_by_role("button", name="Resume").click()
    pictures = page.locator("img[src^='data:image/jpeg']")
    pictures.nth(1).wait_for()
    assert pictures.count() == 2
    assert all(pictures.nth(n).evaluate("one => one.naturalWidth") > 0 for n in range(2))
    page.locator(".p-toggle__control").first.click()
    page.locator("input[type=number]").first.fill("4")
    page.get_by_role("button", name="Submit").click()
    assert last_run(stack, "review-ad-variant")["state_type"] == "COMPLETED"
    (review,) = shown(stack, made["id"])["reviews"]
    assert (review["is_approved"], review["rating"], review["user_id"]) == (True, 4, 1)
    stats = json.loads(stack.adspark("variant", "stats", "--json").stdout)
    assert (stats["approved"], stats["approval_rate"], stats["mean_rating"]) == (1, 1.0, 4.0)


def original_of(stack: Stack, variant_id: int) -> Path:
    done = stack.adspark("variant", "open", str(variant_id), "--original")
    return Path(done.stdout.strip())


def waiting_review(stack: Stack) -> dict[str, Any]:
    """The run that is suspended until somebody has reviewed."""
    wanted = {"flow_runs": {"state": {"name": {"any_": ["Suspended"]}}}}
    for _ in range(1200):
        found = asking.post(f"{stack.api_url}/flow_runs/filter", json=wanted).json()
        if found:
            run: dict[str, Any] = found[0]
            return run
        time.sleep(0.25)
    raise AssertionError("no run waits for a review")


def test_cancelling_the_run_stops_dify_and_ends_the_variant(stack: Stack, ad: str) -> None:
    switch_on(stack, {"kind": "slow", "seconds": 120})
    stopped = bill(stack)["stopped"]
    variant_id = request(stack, ad, "to be cancelled")
    until_running(stack, runs=1)
    wanted = {"flow_runs": {"name": {"any_": [f"variant-{variant_id}"]}}}
    (run,) = asking.post(f"{stack.api_url}/flow_runs/filter", json=wanted).json()
    state = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
    asking.post(f"{stack.api_url}/flow_runs/{run['id']}/set_state", json=state).raise_for_status()
    assert last_run(stack, "generate-ad-variant")["state_type"] == "CANCELLED"
    assert shown(stack, variant_id)["status"] == "cancelled"
    assert (bill(stack)["stopped"], bill(stack)["running"]) == (stopped + 1, 0)


def test_a_killed_run_is_run_again_by_itself_and_paid_once(stack: Stack, ad: str) -> None:
    switch_on(stack, {"kind": "slow", "seconds": 8, "times": 1})
    paid = bill(stack)["paid"]
    variant_id = request(stack, ad, "to be killed")
    until_running(stack, runs=1)
    wanted = {"flow_runs": {"name": {"any_": [f"variant-{variant_id}"]}}}
    (run,) = asking.post(f"{stack.api_url}/flow_runs/filter", json=wanted).json()
    psutil.Process(int(run["infrastructure_pid"].split(":")[1])).kill()
    for _ in range(1200):
        if shown(stack, variant_id)["status"] == "completed":
            break
        time.sleep(0.25)
    assert shown(stack, variant_id)["status"] == "completed"
    (run,) = asking.post(f"{stack.api_url}/flow_runs/filter", json=wanted).json()
    assert run["run_count"] == 2
    assert bill(stack)["paid"] == paid + 1


def test_a_second_worker_of_this_host_has_the_settings_of_the_stack(stack: Stack, ad: str) -> None:
    running = state(stack)
    assert running is not None
    first = running.parts["workers"].find()
    assert first is not None
    first.suspend()
    try:
        second = stack.start("worker", "ai-generation", "--name", "second")
        variant_id = request(stack, ad, "By the second worker")
        while (found := shown(stack, variant_id))["status"] not in ("completed", "failed"):
            assert second.poll() is None, second.communicate()[0]
            time.sleep(0.25)
        second.send_signal(signal.SIGTERM)
        said, _ = second.communicate(timeout=300)
    finally:
        first.resume()
    assert found["status"] == "completed", said
    assert second.returncode == 0, said
