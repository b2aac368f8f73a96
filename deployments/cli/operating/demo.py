"""`adspark demo`: the main job on recorded ads, through the real parts, in one command."""

import asyncio
import shutil
import time
from collections.abc import Sequence

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
from adspark.settings import Settings, media_url
from adspark.variants.store import VariantSummary
from adspark.watches.check import WatchSummary
from adspark.watches.store import SavedWatch
from deployments.cli.database import open_database
from deployments.cli.runs.follow import run_and_follow
from deployments.environment.stack_settings import sandbox_settings
from deployments.stack.control import start_detached, stop_stack
from deployments.terminal.output import err, out, print_activation, print_json, table

_DATA = "demo"  # folder of its data in ADSPARK_HOME, apart from any other
_NEW_BALANCE = "AR04323445746671026177"
_LATER = "CR13412464343149182977"  # one of New Balance's ads
_PROMPT = "Create a summer-themed version"
_ON = "AR01566006373894848513"
# Two advertisers, a domain, and the first advertiser again.
_STEPS: Sequence[tuple[str, dict[str, JsonValue]]] = (
    ("New Balance", {"advertiser_ids": [_NEW_BALANCE]}),
    ("On", {"advertiser_ids": [_ON], "region": "US"}),
    ("hubspot.com", {"text": "hubspot.com"}),
    ("New Balance again", {"advertiser_ids": [_NEW_BALANCE]}),
)


class DemoStep(BaseModel):
    """One fetch of the demo, by deployment."""

    name: str
    flow_run_id: str
    seconds: float
    summary: FetchSummary


class DemoLook(BaseModel):
    """One check of the demo's watch."""

    name: str
    flow_run_id: str
    seconds: float
    summary: WatchSummary


class DemoVariant(BaseModel):
    """The demo's variant, and the files of its pictures."""

    original: str
    picture: str
    seconds: float
    summary: VariantSummary


class DemoReport(BaseModel):
    """The demo's end: what was fetched, noticed and made, and how long it took."""

    steps: list[DemoStep]
    looks: list[DemoLook]
    digest: DigestSummary
    variant: DemoVariant
    stored: int
    searches_billed: int
    start_seconds: float
    seconds: float
    ui_url: str | None


def run_demo(settings: Settings, *, keep: bool, as_json: bool) -> None:
    """Start a stack on the sandbox, fetch, show, and stop it unless `keep`.

    Raises:
        ConfigurationError: a stack runs already.
        AdSparkError: a step failed, or did not do what the demo is there to show.
    """
    if other := running_stack(settings.home):
        raise ConfigurationError(f"A stack runs already at {other.ui_url}; stop: adspark down")
    began = time.monotonic()
    data = sandbox_settings(settings, _DATA)
    asyncio.run(check_browser(program=data.browser, is_sandboxed=data.browser_sandbox))
    _empty(data)
    err.print("Starting Postgres, Prefect's server, four workers and the sandbox …")
    state = start_detached(settings, sandbox=_DATA)
    start_seconds = time.monotonic() - began
    err.print(f"Ready after {start_seconds:.0f} s: {state.ui_url}")
    try:
        steps = [_run_step(state, name, parameters) for name, parameters in _STEPS]
        looks, digest = _watch(state)
        variant = _generate(state, data)
        stored = asyncio.run(_stored(data))
        _check(steps, looks, digest)
    except BaseException:
        stop_stack(settings)
        raise
    if not keep:
        stop_stack(settings)
    report = DemoReport(
        steps=steps,
        looks=looks,
        digest=digest,
        variant=variant,
        stored=sum(count.creatives for count in stored),
        searches_billed=sum(step.summary.searches_billed for step in steps)
        + sum(look.summary.searches_billed for look in looks),
        start_seconds=round(start_seconds, 1),
        seconds=round(time.monotonic() - began, 1),
        ui_url=state.ui_url if keep else None,
    )
    _print(report, stored, state) if not as_json else print_json(report)


def _empty(data: Settings) -> None:
    """A demo starts from nothing; a server that a killed one left behind is stopped first."""
    server = LocalPostgres(postgres_folder(data.home))
    if server.is_running():
        with server.running():
            pass
    shutil.rmtree(data.home, ignore_errors=True)


def _run_step(state: StackState, name: str, parameters: dict[str, JsonValue]) -> DemoStep:
    began = time.monotonic()
    err.print(f"Fetching {name} …")
    finished = asyncio.run(
        run_and_follow(state.api_url, "fetch-creatives", parameters, lambda _: None)
    )
    summary = FetchSummary.model_validate(finished.result)
    seconds = round(time.monotonic() - began, 1)
    err.print(f"  {summary.headline} [dim]{seconds} s[/]", soft_wrap=True)
    return DemoStep(name=name, flow_run_id=str(finished.id), seconds=seconds, summary=summary)


def _watch(state: StackState) -> tuple[list[DemoLook], DigestSummary]:
    """A watch looks while one of the recorded ads is not there yet, and again once it is launched.

    The sandbox forgets its cache in between, as SerpApi does within the hour.
    """
    sandbox = httpx.Client(base_url=str(state.sandbox_url))
    with sandbox:
        err.print("Watching New Balance …")
        saved = SavedWatch.model_validate(
            _run(state, "save-watch", {"name": "New Balance", "advertiser_ids": [_NEW_BALANCE]})
        )
        sandbox.post("/sandbox/reset").raise_for_status()
        gone = {"action": "remove", "ad_creative_id": _LATER}
        sandbox.put("/sandbox/changes", json=[gone]).raise_for_status()
        looks = [_look(state, "first look", saved.id)]
        sandbox.post("/sandbox/reset").raise_for_status()
        now = int(time.time())
        shown = {"first_shown": now, "last_shown": now, "total_days_shown": 1}
        launched = {"action": "alter", "ad_creative_id": _LATER, "row": shown}
        sandbox.put("/sandbox/changes", json=[launched]).raise_for_status()
        looks.append(_look(state, "an hour later", saved.id))
    return looks, DigestSummary.model_validate(_run(state, "send-digest", {}))


def _look(state: StackState, name: str, watch_id: int) -> DemoLook:
    began = time.monotonic()
    finished = asyncio.run(
        run_and_follow(state.api_url, "process-watch", {"watch_id": watch_id}, lambda _: None)
    )
    summary = WatchSummary.model_validate(finished.result)
    seconds = round(time.monotonic() - began, 1)
    err.print(f"  {name}: {summary.headline} [dim]{seconds} s[/]", soft_wrap=True)
    return DemoLook(name=name, flow_run_id=str(finished.id), seconds=seconds, summary=summary)


def _generate(state: StackState, data: Settings) -> DemoVariant:
    """A variant of the ad that the watch has found: rendered, generated, kept."""
    began = time.monotonic()
    err.print("Generating a variant of the new ad …")
    parameters: dict[str, JsonValue] = {"original_ad_id": _LATER, "prompt": _PROMPT, "user_id": 1}
    summary = VariantSummary.model_validate(_run(state, "generate-ad-variant", parameters))
    seconds = round(time.monotonic() - began, 1)
    err.print(f"  {summary.headline} [dim]{seconds} s[/]", soft_wrap=True)
    if summary.image_path is None or summary.original_path is None:
        raise AdSparkError(f"The demo did not go as it should: {summary.headline}.")
    media = MediaStore(media_url(data))
    return DemoVariant(
        original=media.locate(summary.original_path),
        picture=media.locate(summary.image_path),
        seconds=seconds,
        summary=summary,
    )


def _run(state: StackState, deployment: str, parameters: dict[str, JsonValue]) -> JsonValue:
    return asyncio.run(run_and_follow(state.api_url, deployment, parameters, lambda _: None)).result


def _check(steps: Sequence[DemoStep], looks: Sequence[DemoLook], digest: DigestSummary) -> None:
    """The point of the demo: ads arrived, nothing was stored or billed twice, and what is new was
    told once."""
    first, again = steps[0].summary, steps[-1].summary
    if first.new == 0 or again.new or again.changed or again.searches_billed:
        raise AdSparkError(
            f"The demo did not go as it should: first {first.headline}; again {again.headline}."
        )
    told = [look.summary.events.news for look in looks]
    if told != [0, 1] or digest.news != 1:
        raise AdSparkError(
            f"The demo did not go as it should: news {told}, in the digest {digest.news}."
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
    out.print(table("Stored", [dict(count) for count in stored]))
    out.print(
        f"{report.stored} real ads (recorded in 2026) came through the sandbox, Prefect and its "
        f"workers into PostgreSQL; {report.searches_billed} searches would have been billed. The "
        f"digest tells of {report.digest.news} new ad. "
        f"{report.seconds:.0f} s in all."
    )
    copy = report.variant.summary.description or ""
    out.print(f"\n[bold]A variant of it[/], by the sandbox: “{_PROMPT}”")
    out.print(escape("\n".join(f"  {line}" for line in copy.splitlines())), soft_wrap=True)
    out.print(f"  original  {escape(report.variant.original)}", soft_wrap=True)
    out.print(f"  variant   {escape(report.variant.picture)}\n", soft_wrap=True)
    if report.ui_url:
        out.print(
            f"The stack is still running. Prefect's UI: {state.ui_url} · sandbox: "
            f"{state.sandbox_url} · stop: adspark down"
        )
    else:
        out.print("To look around in Prefect's UI: adspark demo --keep")
    print_activation()
