"""`adspark demo`: the main job on recorded ads, through the real parts, in one command."""

import asyncio
import shutil
import time
from collections.abc import Sequence

from pydantic import JsonValue

from adspark.creatives.fetch import FetchSummary
from adspark.creatives.store import CreativeCount, count_creatives
from adspark.db.embedded import LocalPostgres, postgres_folder
from adspark.home.running_stack import StackState, check_no_stack
from adspark.notifications.digest import DigestSummary
from adspark.rendering.browser import check_browser
from adspark.settings import Settings
from adspark.watches.check import WatchSummary
from deployments.cli.database import open_database
from deployments.cli.demo.documents import DemoDocument, DemoRun
from deployments.cli.demo.library import DemoFailedError, look_up
from deployments.cli.demo.steps import LATER, NEW_BALANCE, ON, all_others, fetch, generate, watch
from deployments.cli.demo.tables import print_demo
from deployments.environment.stack_settings import DEMO_DATA, sandbox_settings
from deployments.stack.control import start_detached, stop_stack
from deployments.terminal.output import print_json, print_note

# Two advertisers, a domain, and the first advertiser again.
_FETCHES: Sequence[tuple[str, dict[str, JsonValue]]] = (
    ("New Balance", {"advertiser_ids": [NEW_BALANCE]}),
    ("On", {"advertiser_ids": [ON], "region": "US"}),
    ("hubspot.com", {"text": "hubspot.com"}),
    ("New Balance again", {"advertiser_ids": [NEW_BALANCE]}),
)


def run_demo(settings: Settings, *, keep: bool, as_json: bool) -> None:
    """Start a stack on the sandbox, fetch, show, and stop it unless `keep`; then all recorded ads
    are fetched.

    Args:
        settings: of the caller; its home gets the data.
        keep: leave the stack running.
        as_json: print one document, not texts.

    Raises:
        ConfigurationError: a stack runs, or is being started.
        AdSparkError: a step failed, or did not do what the demo is there to show.
    """
    check_no_stack(settings.home)
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
        steps = [fetch(state, name, parameters) for name, parameters in _FETCHES]
        looks, digest = watch(state)
        print_note("Archiving the pictures and reading their words …", style="none")
        ad = look_up(state.api_url, data, LATER)
        variant = generate(state, data)
        _check(steps, looks, digest)
        if keep:
            print_note("Fetching the ads of all others …", style="none")
            steps.append(fetch(state, "all others", all_others()))
        stored = asyncio.run(_stored(data))
    except BaseException as error:
        _end_failed(settings, state, error, keep=keep)
        raise
    if not keep:
        stop_stack(settings)
    report = DemoDocument(
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
        print_json(report)
    else:
        print_demo(report, stored, state)


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


def _check(
    steps: Sequence[DemoRun[FetchSummary]],
    looks: Sequence[DemoRun[WatchSummary]],
    digest: DigestSummary,
) -> None:
    """The point of the demo: ads arrived, nothing was stored or billed twice, and what is new was
    reported once."""
    first, again = steps[0].summary, steps[-1].summary
    if first.new == 0 or again.new or again.changed or again.searches_billed:
        raise DemoFailedError(f"first {first.headline}; again {again.headline}.")
    news = [look.summary.events.news for look in looks]
    if news != [0, 1] or digest.news > 1:  # none where the schedule's digest was first
        raise DemoFailedError(f"news {news}, in the digest {digest.news}.")


async def _stored(data: Settings) -> list[CreativeCount]:
    async with open_database(data) as database, database.session() as session:
        return await count_creatives(session)
