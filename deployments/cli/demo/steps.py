"""The steps of the demo, each a run by deployment that is followed to its end."""

import asyncio
import math
import time
from collections.abc import Mapping
from typing import TypeVar

import httpx
from pydantic import BaseModel, JsonValue

from adspark.creatives.fetch import FetchSummary
from adspark.home.running_stack import StackState
from adspark.media.store import MediaStore
from adspark.notifications.digest import DigestSummary
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.settings import Settings, media_url
from adspark.text.sentences import with_full_stop
from adspark.validation.bounds import INTERVAL_MINUTES, PAGE_SIZE
from adspark.variants.store import VariantSummary
from adspark.watches.check import WatchSummary
from adspark.watches.store import SavedWatch
from deployments.cli.demo.documents import DemoRun, DemoVariant
from deployments.cli.demo.library import DemoFailedError
from deployments.cli.runs.follow import run_and_follow
from deployments.terminal.output import print_note

_Summary = TypeVar("_Summary", bound=BaseModel)
_Headed = TypeVar("_Headed", FetchSummary, WatchSummary, VariantSummary)

NEW_BALANCE = "AR04323445746671026177"
LATER = "CR13412464343149182977"  # one of New Balance's ads
PROMPT = "Create a summer-themed version"
# Checked by the demo alone: no schedule finds it due a second time.
_WATCH: Mapping[str, JsonValue] = {
    "name": "New Balance",
    "advertiser_ids": [NEW_BALANCE],
    "interval_minutes": int(INTERVAL_MINUTES.most),
}
ON = "AR01566006373894848513"
_MOST_OTHERS = 100  # advertisers; the sandbox has recorded ads of 12


def fetch(state: StackState, name: str, parameters: dict[str, JsonValue]) -> DemoRun[FetchSummary]:
    """Ads of a query, fetched.

    Args:
        state: of the stack.
        name: of the step.
        parameters: of `fetch-creatives`.
    """
    return _print_headline(_run(state, name, "fetch-creatives", parameters, FetchSummary))


def all_others() -> dict[str, JsonValue]:
    """The parameters that fetch all recorded ads of the advertisers which the steps do not name."""
    recorded = RecordedCatalogue().advertisers(_MOST_OTHERS)
    others = [one for one in recorded if one.id not in (NEW_BALANCE, ON)]
    pages = math.ceil(sum(one.creatives for one in others) / PAGE_SIZE.most)
    return {"advertiser_ids": [one.id for one in others], "max_pages": pages}


def watch(state: StackState) -> tuple[list[DemoRun[WatchSummary]], DigestSummary]:
    """A watch is checked while one of the recorded ads is missing, and again once it is launched;
    the sandbox forgets its cache in between, as SerpApi does within the hour."""
    with httpx.Client(base_url=str(state.sandbox_url)) as sandbox:
        print_note("Watching New Balance …", style="none")

        def change_ad(change: dict[str, JsonValue]) -> None:
            sandbox.post("/sandbox/reset").raise_for_status()
            change |= {"ad_creative_id": LATER}
            sandbox.put("/sandbox/changes", json=[change]).raise_for_status()

        def check(name: str) -> DemoRun[WatchSummary]:
            run = _run(state, name, "process-watch", {"watch_id": watch_id}, WatchSummary)
            return _print_headline(run)

        change_ad({"action": "remove"})  # before there is a watch that a schedule may check
        watch_id = _run(state, "watch", "save-watch", dict(_WATCH), SavedWatch).summary.id
        looks = [check("first look")]
        now = int(time.time())
        shown: JsonValue = {"first_shown": now, "last_shown": now, "total_days_shown": 1}
        change_ad({"action": "alter", "row": shown})
        looks.append(check("an hour later"))
    return looks, _run(state, "digest", "send-digest", {}, DigestSummary).summary


def generate(state: StackState, data: Settings) -> DemoVariant:
    """A variant of the ad that the watch has found: rendered, generated, kept."""
    print_note("Generating a variant of the new ad …", style="none")
    parameters: dict[str, JsonValue] = {
        "original_ad_id": LATER, "prompt": PROMPT, "user_id": 1
    }  # fmt: skip
    run = _run(state, "variant", "generate-ad-variant", parameters, VariantSummary)
    summary = _print_headline(run).summary
    if summary.image_path is None or summary.original_path is None:
        raise DemoFailedError(with_full_stop(summary.headline))
    media = MediaStore(media_url(data))
    return DemoVariant(
        original=media.locate(summary.original_path),
        picture=media.locate(summary.image_path),
        seconds=run.seconds,
        summary=summary,
    )


def _run(
    state: StackState,
    name: str,
    deployment: str,
    parameters: dict[str, JsonValue],
    kind: type[_Summary],
) -> DemoRun[_Summary]:
    began = time.monotonic()
    run = asyncio.run(run_and_follow(state.api_url, deployment, parameters))
    return DemoRun(
        name=name,
        flow_run_id=str(run.id),
        seconds=round(time.monotonic() - began, 1),
        summary=kind.model_validate(run.result),
    )


def _print_headline(run: DemoRun[_Headed]) -> DemoRun[_Headed]:
    print_note(f"  {run.name}: {run.summary.headline} {run.seconds} s", style="none")
    return run
