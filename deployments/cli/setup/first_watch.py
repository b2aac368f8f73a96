"""The first watch: its cost is shown before it is made, and it looks at once."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.archive.counts import count_archive
from adspark.errors import AdSparkError, ConfigurationError, InvalidQueryError
from adspark.home.running_stack import StackState
from adspark.models import Watch
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.validation.bounds import INTERVAL_MINUTES
from adspark.validation.numbers import read_whole
from adspark.watches.budgets import MonthEstimate, estimate_month
from adspark.watches.check import WatchSummary
from adspark.watches.definition import (
    WatchDefinition,
    change_definition,
    definition_of,
    pick_fields,
)
from adspark.watches.store import Outcome, SavedWatch, save_watch
from adspark.watches.stored import find_watch
from deployments.cli.database import act_in_session, in_session
from deployments.cli.setup.questions import ask, confirm, tell
from deployments.cli.setup.target import Target, has_database

_INTERVALS = (60, 120, 180, 360, 720, 1440)  # minutes that are suggested
_SHARE = 0.5  # of what the account has left that a first watch may take
_ENOUGH = 24  # pictures that fill a screen
_PATIENCE = 120.0  # seconds for them
_PAUSE = 1.0  # seconds between two looks at how many there are


@dataclass(frozen=True)
class WatchOptions:
    """What options have said of the watch; None: the person is asked, or it has its default."""

    name: str | None = None
    region: str | None = None
    interval_minutes: int | None = None
    max_pages: int | None = None
    monthly_budget: int | None = None


def plan_watch(
    target: Target, options: WatchOptions, *, left: int | None, takes_defaults: bool
) -> WatchDefinition:
    """The watch that a person wants, its month's cost shown and agreed to.

    Args:
        target: what it looks for.
        options: what need not be asked.
        left: searches of the account; None: not known.
        takes_defaults: whether what is suggested is taken unasked.

    Raises:
        ConfigurationError: nobody is there to answer.
        InvalidQueryError: an option cannot be used, or another watch has the name.
        Abort: the person does not want it.
    """

    def define(name: str, minutes: int) -> WatchDefinition:
        given = {
            "name": name,
            "advertiser_ids": target.advertiser_ids,
            "text": target.text,
            "region": options.region,
            "interval_minutes": minutes,
            "max_pages": options.max_pages,
            "monthly_budget": options.monthly_budget,
        }
        definition, _ = change_definition(None, pick_fields(given))
        return definition

    name = options.name or (target.name if takes_defaults else None)
    if name is None:
        name = ask(
            "Name of the watch",
            option="--name",
            parse=lambda given: define(given, 60).name,
            default=target.name,
        )
    wanted = define(name, 60)
    minutes = options.interval_minutes
    suggested = _suggest_interval(wanted, left)
    if minutes is None and not takes_defaults:
        minutes = ask(
            "Minutes between two looks",
            option="--every",
            parse=_parse_minutes,
            default=str(suggested),
        )
    definition = define(name, minutes or suggested)
    _check_name(definition, options)
    tell(escape(_describe(estimate_month(definition), left)))
    question = f"Make the watch {definition.name!r} and start?"
    if not takes_defaults and not confirm(question, option="--yes", default=True):
        raise typer.Abort
    return definition


def save(definition: WatchDefinition) -> int:
    """Make the watch, or keep the one of its name; returns its number."""

    async def act(session: AsyncSession) -> SavedWatch:
        if present := await _find_present(session, definition):
            return SavedWatch(id=present.id, outcome=Outcome.UNCHANGED)
        return await save_watch(session, definition=definition)

    saved = in_session(act, commits=True)
    is_new = saved.outcome is Outcome.CREATED
    done = "Created watch" if is_new else "Kept watch, which is there already:"
    tell(f"{done} {saved.id} ({escape(plain(definition.name))}).")
    return saved.id


def look(state: StackState, watch_id: int) -> int:
    """Let the watch look, and archive what it finds; returns how many pictures there are.

    Raises:
        AdSparkError: the look failed.
    """
    from deployments.cli.runs.follow import Event, run_and_follow  # noqa: PLC0415  (slow)

    def tell_hint(event: Event) -> None:
        if event.kind == "hint":
            tell(f"  {escape(plain(event.text))}")

    tell("Looking …")
    watch = {"watch_id": watch_id}
    run = asyncio.run(run_and_follow(state.api_url, "process-watch", watch, tell_hint))
    tell(f"  {escape(WatchSummary.model_validate(run.result).headline)}")
    tell("Archiving the pictures …")
    return asyncio.run(_archive(state))


async def _archive(state: StackState) -> int:
    """Start the archive's run, and wait until there is a screen full of pictures, or no more."""
    from deployments.cli.runs.follow import run_and_follow  # noqa: PLC0415  (slow)

    following = asyncio.create_task(run_and_follow(state.api_url, "archive-creatives", {}))
    end = time.monotonic() + _PATIENCE
    while True:
        done, _ = await asyncio.wait({following}, timeout=_PAUSE)
        counts = await act_in_session(count_archive)
        if done or counts.pictures >= _ENOUGH or time.monotonic() > end:
            break
    following.cancel()
    with suppress(AdSparkError, asyncio.CancelledError):  # another run archives already
        await following
    return counts.pictures


async def _find_present(session: AsyncSession, definition: WatchDefinition) -> Watch | None:
    """The watch that has its name already."""
    with suppress(ConfigurationError):
        return await find_watch(session, name_or_id=definition.name, user_id=definition.user_id)
    return None


def _check_name(definition: WatchDefinition, options: WatchOptions) -> None:
    """Raise InvalidQueryError where a watch of this name is there that is another one."""
    if not has_database():
        return
    present = in_session(lambda session: _find_present(session, definition))
    if present is None:
        return
    there = definition_of(present)
    numbers = ("interval_minutes", "max_pages", "monthly_budget")
    given = {one for one in numbers if getattr(options, one) is not None}
    if there.query != definition.query or there.model_dump(include=given) != definition.model_dump(
        include=given
    ):
        raise InvalidQueryError(
            "name",
            f"watch {present.id} is called {definition.name!r} already, and is another one; give "
            f"another --name, or change that one: adspark watch change {present.id}",
        )


def _suggest_interval(definition: WatchDefinition, left: int | None) -> int:
    """The shortest usual interval at which a month takes at most half of what the account has."""
    for minutes in _INTERVALS:
        month = estimate_month(definition.model_copy(update={"interval_minutes": minutes}))
        if left is None or month.searches <= _SHARE * left:
            return minutes
    return _INTERVALS[-1]


def _parse_minutes(given: str) -> int:
    if (minutes := read_whole(given)) is None:
        raise InvalidQueryError("every", "give a number of minutes.")
    INTERVAL_MINUTES.check("every", minutes)
    return minutes


def _describe(month: MonthEstimate, left: int | None) -> str:
    """What a month costs, in a line."""
    said = (
        f"A month costs about {counted(month.searches, 'search')}, {month.most:,} at most: "
        f"{counted(month.checks, 'look')} in 30 days."
    )
    if month.lacking:
        said += f" The budget lacks {month.lacking:,} of what is expected."
    return said if left is None else f"{said} The account has {left:,} left this month."
