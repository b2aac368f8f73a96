"""`adspark demo`: the main job on recorded ads, through the real parts, in one command."""

import asyncio
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import httpx
from pydantic import BaseModel, JsonValue
from rich.markup import escape

from adspark.creatives.fetch import FetchSummary
from adspark.creatives.store import CreativeCount, count_creatives
from adspark.db.configured import postgres_folder
from adspark.db.embedded import LocalPostgres
from adspark.errors import AdSparkError, ConfigurationError
from adspark.home.running_stack import StackState, running_stack
from adspark.media.store import MediaStore
from adspark.notifications.digest import DigestSummary
from adspark.rendering.browser import check_browser
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.settings import Settings, media_url
from adspark.text.counts import counted
from adspark.validation.bounds import INTERVAL_MINUTES, PAGE_SIZE
from adspark.variants.store import VariantSummary
from adspark.watches.check import WatchSummary
from adspark.watches.store import SavedWatch
from deployments.cli.database import open_database
from deployments.cli.operating.demo_library import LibraryAd, look_up, print_library_ad
from deployments.cli.runs.follow import run_and_follow
from deployments.environment.stack_settings import DEMO_DATA, sandbox_settings
from deployments.stack.control import start_detached, stop_stack
from deployments.terminal.output import out, print_activation, print_json, print_line, print_note
from deployments.terminal.tables import table

_Summary = TypeVar("_Summary", bound=BaseModel)
_Headed = TypeVar("_Headed", FetchSummary, WatchSummary, VariantSummary)

NEW_BALANCE = "AR04323445746671026177"
_LATER = "CR13412464343149182977"  # one of New Balance's ads
_PROMPT = "Create a summer-themed version"
# Checked by the demo alone: no schedule finds it due a second time.
_WATCH: Mapping[str, JsonValue] = {
    "name": "New Balance",
    "advertiser_ids": [NEW_BALANCE],
    "interval_minutes": int(INTERVAL_MINUTES.most),
}
ON = "AR01566006373894848513"
_MOST_OTHERS = 100  # advertisers; the sandbox has recorded ads of 12
# Two advertisers, a domain, and the first advertiser again.
_STEPS: Sequence[tuple[str, dict[str, JsonValue]]] = (
    ("New Balance", {"advertiser_ids": [NEW_BALANCE]}),
    ("On", {"advertiser_ids": [ON], "region": "US"}),
    ("hubspot.com", {"text": "hubspot.com"}),
    ("New Balance again", {"advertiser_ids": [NEW_BALANCE]}),
)


class DemoRun(BaseModel, Generic[_Summary]):
    """A run of the demo, by deployment."""

    name: str
    flow_run_id: str
    seconds: float
    summary: _Summary


class DemoVariant(BaseModel):
    """The demo's variant, and the files of its pictures."""

    original: str
    picture: str
    seconds: float
    summary: VariantSummary


class DemoReport(BaseModel):
    """The demo's end: what was fetched, noticed, read and made, and how long it took."""

    steps: list[DemoRun[FetchSummary]]
    looks: list[DemoRun[WatchSummary]]
    digest: DigestSummary
    ad: LibraryAd
    variant: DemoVariant
    stored: int
    searches_billed: int
    start_seconds: float
    seconds: float
    gallery_url: str | None
    ui_url: str | None


def run_demo(settings: Settings, *, keep: bool, as_json: bool) -> None:
    """Start a stack on the sandbox, fetch, show, and stop it unless `keep`; then all recorded ads
    are fetched.

    Raises:
        ConfigurationError: a stack runs already.
        AdSparkError: a step failed, or did not do what the demo is there to show.
    """
    if other := running_stack(settings.home):
        raise ConfigurationError(f"A stack runs already at {other.ui_url}; stop: adspark down")
    began = time.monotonic()
    data = sandbox_settings(settings, DEMO_DATA)
    asyncio.run(check_browser(program=data.browser, is_sandboxed=data.browser_sandbox))
    _empty(data)
    print_note("Starting Postgres, Prefect's server, its workers and the sandbox …", style="none")
    state = start_detached(settings, sandbox=DEMO_DATA, on_wait=print_note)
    start_seconds = time.monotonic() - began
    print_note(f"Ready after {start_seconds:.0f} s. Gallery: {state.gallery_url}", style="none")
    print_note(f"Runs, in Prefect's UI: {state.ui_url}", style="none")
    try:
        print_note("Fetching ads …", style="none")
        steps = [_fetch(state, name, parameters) for name, parameters in _STEPS]
        looks, digest = _watch(state)
        print_note("Archiving the pictures and reading their words …", style="none")
        ad = look_up(state.api_url, data, _LATER)
        variant = _generate(state, data)
        _check(steps, looks, digest)
        if keep:
            print_note("Fetching the ads of all others …", style="none")
            steps.append(_fetch(state, "all others", all_others()))
        stored = asyncio.run(_stored(data))
    except BaseException as error:
        _end_failed(settings, state, error, keep=keep)
        raise
    if not keep:
        stop_stack(settings)
    report = DemoReport(
        steps=steps,
        looks=looks,
        digest=digest,
        ad=ad,
        variant=variant,
        stored=sum(count.creatives for count in stored),
        searches_billed=sum(step.summary.searches_billed for step in steps)
        + sum(look.summary.searches_billed for look in looks),
        start_seconds=round(start_seconds, 1),
        seconds=round(time.monotonic() - began, 1),
        gallery_url=state.gallery_url if keep else None,
        ui_url=state.ui_url if keep else None,
    )
    if as_json:
        from deployments.cli.operating.server_documents import (  # noqa: PLC0415  (imports this)
            DemoDocument,
        )

        print_json(DemoDocument.of(report))
    else:
        _print(report, stored, state)


def _empty(data: Settings) -> None:
    """A demo starts from nothing; a server that a killed one left behind is stopped first."""
    server = LocalPostgres(postgres_folder(data.home))
    if server.is_running():
        with server.running():
            pass
    shutil.rmtree(data.home, ignore_errors=True)


def _end_failed(settings: Settings, state: StackState, error: BaseException, *, keep: bool) -> None:
    """Say where the reason of a failed step stands; the stack is stopped, unless it is kept."""
    is_failure = isinstance(error, Exception)  # else it was interrupted
    if is_failure:
        print_note(f"The logs say more: {state.home / 'logs'}", style="none")
    if keep and is_failure:
        print_note(
            f"The stack is still running. Gallery: {state.gallery_url} · Prefect's UI: "
            f"{state.ui_url} · stop: adspark down",
            style="none",
        )
        return
    stop_stack(settings)
    if is_failure:
        print_note(
            "To look at what is there when it fails again: adspark demo --keep", style="none"
        )


def _fetch(state: StackState, name: str, parameters: dict[str, JsonValue]) -> DemoRun[FetchSummary]:
    return _print_headline(_run(state, name, "fetch-creatives", parameters, FetchSummary))


def all_others() -> dict[str, JsonValue]:
    """The parameters that fetch all recorded ads of the advertisers which the steps do not name."""
    recorded = RecordedCatalogue().advertisers(_MOST_OTHERS)
    others = [one for one in recorded if one.id not in (NEW_BALANCE, ON)]
    pages = math.ceil(sum(one.creatives for one in others) / PAGE_SIZE.most)
    return {"advertiser_ids": [one.id for one in others], "max_pages": pages}


def _watch(state: StackState) -> tuple[list[DemoRun[WatchSummary]], DigestSummary]:
    """A watch is checked while one of the recorded ads is missing, and again once it is launched;
    the sandbox forgets its cache in between, as SerpApi does within the hour."""
    with httpx.Client(base_url=str(state.sandbox_url)) as sandbox:
        print_note("Watching New Balance …", style="none")

        def change_ad(change: dict[str, JsonValue]) -> None:
            sandbox.post("/sandbox/reset").raise_for_status()
            change |= {"ad_creative_id": _LATER}
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


def _generate(state: StackState, data: Settings) -> DemoVariant:
    """A variant of the ad that the watch has found: rendered, generated, kept."""
    print_note("Generating a variant of the new ad …", style="none")
    parameters: dict[str, JsonValue] = {
        "original_ad_id": _LATER, "prompt": _PROMPT, "user_id": 1
    }  # fmt: skip
    run = _run(state, "variant", "generate-ad-variant", parameters, VariantSummary)
    summary = _print_headline(run).summary
    if summary.image_path is None or summary.original_path is None:
        raise AdSparkError(f"The demo did not go as it should: {summary.headline}.")
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
    run = asyncio.run(run_and_follow(state.api_url, deployment, parameters, lambda _: None))
    return DemoRun(
        name=name,
        flow_run_id=str(run.id),
        seconds=round(time.monotonic() - began, 1),
        summary=kind.model_validate(run.result),
    )


def _print_headline(run: DemoRun[_Headed]) -> DemoRun[_Headed]:
    print_note(f"  {run.name}: {run.summary.headline} {run.seconds} s", style="none")
    return run


def _check(
    steps: Sequence[DemoRun[FetchSummary]],
    looks: Sequence[DemoRun[WatchSummary]],
    digest: DigestSummary,
) -> None:
    """The point of the demo: ads arrived, nothing was stored or billed twice, and what is new was
    reported once."""
    first, again = steps[0].summary, steps[-1].summary
    if first.new == 0 or again.new or again.changed or again.searches_billed:
        raise AdSparkError(
            f"The demo did not go as it should: first {first.headline}; again {again.headline}."
        )
    news = [look.summary.events.news for look in looks]
    if news != [0, 1] or digest.news > 1:  # none where the schedule's digest was first
        raise AdSparkError(
            f"The demo did not go as it should: news {news}, in the digest {digest.news}."
        )


async def _stored(data: Settings) -> list[CreativeCount]:
    async with open_database(data) as database, database.session() as session:
        return await count_creatives(session)


def _print(report: DemoReport, stored: list[CreativeCount], state: StackState) -> None:
    fetched = [
        {
            "fetch": step.name,
            "new": step.summary.new,
            "changed": step.summary.changed,
            "unchanged": step.summary.unchanged,
            "billed": step.summary.searches_billed,
            "cached": step.summary.searches_cached,
            "seconds": step.seconds,
        }
        for step in report.steps
    ]
    watched = [
        {
            "look": look.name,
            "baseline": look.summary.events.baseline,
            "new": look.summary.events.new,
            "changed": look.summary.events.changed,
            "coverage": look.summary.coverage.value,
            "billed": look.summary.searches_billed,
            "seconds": look.seconds,
        }
        for look in report.looks
    ]
    out.print(table("Fetched", fetched))
    out.print(table("Watched: New Balance", watched))
    kept = [
        {"advertiser": one.advertiser, "format": one.format.value, "ads": one.creatives}
        for one in stored
    ]
    out.print(table("Stored", kept))
    out.print(
        f"{report.stored} real ads (recorded in 2026) came through the sandbox, Prefect and its "
        f"workers into PostgreSQL; {counted(report.searches_billed, 'search')} would have been "
        f"billed. The "
        f"digest reports {counted(report.digest.news, 'new ad')}. "
        f"{report.seconds:.0f} s in all."
    )
    print_library_ad(report.ad)
    copy = report.variant.summary.description or ""
    out.print(f"\n[bold]A variant of it[/], by the sandbox: “{_PROMPT}”")
    print_line(escape("\n".join(f"  {line}" for line in copy.splitlines())))
    print_line(f"  original  {escape(report.variant.original)}")
    print_line(f"  variant   {escape(report.variant.picture)}\n")
    if report.ui_url:
        out.print(
            f"The stack is still running. Gallery: {state.gallery_url} · Prefect's UI: "
            f"{state.ui_url} · sandbox: {state.sandbox_url} · stop: adspark down\n"
            "Pictures and words of all ads are there within half an hour."
        )
    else:
        out.print("To look around in the gallery and Prefect's UI: adspark demo --keep")
    print_activation()
