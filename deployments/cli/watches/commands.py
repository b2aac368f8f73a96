"""`adspark watch`: define watches (saved searches), one by one or from a file, and look at them.

They are those of the running stack, else of the configured database. Prefect is not needed here.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.errors import ConfigurationError
from adspark.models import Fetch, Watch
from adspark.watches.definition import CLEARABLE, WatchDefinition, change_definition, pick_fields
from adspark.watches.duplicates import find_duplicates
from adspark.watches.files import WatchFormat, format_of, read_watch_file, write_watches
from adspark.watches.news import News, read_news
from adspark.watches.store import (
    Outcome,
    SavedWatch,
    WatchRow,
    change_watch,
    count_contents,
    delete_watch,
    find_watch,
    list_fetches,
    list_watches,
    save_watch,
    set_active,
    warn_of_duplicates,
)
from deployments.cli.database import in_session
from deployments.cli.options import (
    AdvertiserIds,
    FormatOption,
    JsonOption,
    PlatformOption,
    RegionOption,
    TextOption,
    YesOption,
)
from deployments.cli.users.option import user_option
from deployments.cli.watches.options import (
    AdvertiserOption,
    AllAdsOption,
    BudgetOption,
    DetailsOption,
    EndedOption,
    EveryOption,
    PagesOption,
    PoliticalOption,
    UserOption,
    Which,
    find_advertiser_ids,
)
from deployments.cli.watches.tables import print_watch, print_watches
from deployments.terminal.choices import one_of
from deployments.terminal.output import out, print_json, print_line

_EVENTS, _FETCHES = 10, 5  # that `show` shows
_EVER = datetime.fromtimestamp(0, UTC)

app = typer.Typer(help="Watches: saved searches that look again and again.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, Argument(help="The new watch's name.")],
    advertiser_ids: AdvertiserIds = None,
    advertiser: AdvertiserOption = None,
    text: TextOption = None,
    region: RegionOption = None,
    platform: PlatformOption = None,
    creative_format: FormatOption = None,
    political_ads: PoliticalOption = False,
    all_ads: AllAdsOption = False,
    interval_minutes: EveryOption = None,
    max_pages: PagesOption = None,
    monthly_budget: BudgetOption = None,
    ended_after_days: EndedOption = None,
    details_per_sweep: DetailsOption = None,
    user_id: Annotated[int, user_option("--user", help="Whose watch it is.")] = 1,
) -> None:
    """Create a watch; the next sweep looks for the first time."""
    advertiser_ids = find_advertiser_ids(advertiser_ids, advertiser)
    changes = pick_fields(locals())
    changes["political_ads"] = one_of("--political-ads", political_ads, "--all-ads", all_ads)
    definition, warnings = change_definition(None, changes)

    async def act(session: AsyncSession) -> tuple[int, list[str]]:
        saved = await save_watch(session, definition=definition)
        if saved.outcome is not Outcome.CREATED:
            raise ConfigurationError(
                f"name: watch {saved.id} is called {definition.name!r} already; change it with: "
                f"adspark watch change {saved.id}"
            )
        return saved.id, await warn_of_duplicates(session, saved)

    watch_id, alike = in_session(act, commits=True)
    _say(f"Created watch {watch_id}", definition, warnings + alike)


@app.command()
def change(
    watch: Which,
    advertiser_ids: AdvertiserIds = None,
    advertiser: AdvertiserOption = None,
    name: Annotated[str | None, Option(help="Rename it.")] = None,
    text: TextOption = None,
    region: RegionOption = None,
    platform: PlatformOption = None,
    creative_format: FormatOption = None,
    political_ads: PoliticalOption = False,
    all_ads: AllAdsOption = False,
    interval_minutes: EveryOption = None,
    max_pages: PagesOption = None,
    monthly_budget: BudgetOption = None,
    ended_after_days: EndedOption = None,
    details_per_sweep: DetailsOption = None,
    clear: Annotated[
        list[str] | None, Option(metavar="FIELD", help=f"Empty it: {', '.join(CLEARABLE)}.")
    ] = None,
    user: UserOption = None,
) -> None:
    """Change only what is given; another search begins its past anew."""
    advertiser_ids = find_advertiser_ids(advertiser_ids, advertiser)
    changes = pick_fields(locals())
    changes["political_ads"] = one_of("--political-ads", political_ads, "--all-ads", all_ads)

    async def act(session: AsyncSession) -> tuple[SavedWatch, WatchDefinition, list[str]]:
        found = await find_watch(session, name_or_id=watch, user_id=user)
        return await change_watch(session, watch_id=found.id, changes=changes, clear=clear or [])

    saved, definition, warnings = in_session(act, commits=True)
    if saved.begins_anew:
        warnings.append("its search is another one now: what it finds first counts as known.")
    done = "Changed" if saved.outcome is Outcome.CHANGED else "Nothing to change in"
    _say(f"{done} watch {saved.id}", definition, warnings)


@app.command()
def pause(watch: Which, user: UserOption = None) -> None:
    """Let a watch rest."""
    _set_active(watch, user, is_active=False)


@app.command()
def resume(watch: Which, user: UserOption = None) -> None:
    """Let a paused watch look again, from the next sweep on."""
    _set_active(watch, user, is_active=True)


@app.command()
def delete(watch: Which, yes: YesOption = False, user: UserOption = None) -> None:
    """Delete a watch with what it noticed; the ads and what they cost stay."""

    async def read(session: AsyncSession) -> tuple[int, str]:
        found = await find_watch(session, name_or_id=watch, user_id=user)
        contents = await count_contents(session, watch_id=found.id)
        return found.id, (
            f"watch {found.id} ({found.name}) with its links to {contents.creatives} ads and its "
            f"{contents.events} events"
        )

    watch_id, what = in_session(read)
    if not yes:
        typer.confirm(f"Delete {what}? The ads themselves stay.", abort=True)
    in_session(lambda session: delete_watch(session, watch_id=watch_id), commits=True)
    print_line(f"Deleted {escape(what)}.")


@app.command("list")
def list_all(as_json: JsonOption = False, user: UserOption = None) -> None:
    """List the watches: what they look for, what they found, what they cost this month."""
    rows = in_session(lambda session: list_watches(session, user_id=user))
    print_json({"watches": rows}) if as_json else print_watches(rows)


@app.command()
def show(watch: Which, as_json: JsonOption = False, user: UserOption = None) -> None:
    """Show all about one watch: definition, state, last events and fetches."""

    async def act(session: AsyncSession) -> tuple[WatchRow, list[News], Sequence[Fetch]]:
        watch_id = (await find_watch(session, name_or_id=watch, user_id=user)).id
        (row,) = await list_watches(session, watch_id=watch_id)
        events = await read_news(session, watch_ids=[watch_id], since=_EVER, limit=_EVENTS)
        return row, events, await list_fetches(session, watch_id=watch_id, limit=_FETCHES)

    row, events, fetches = in_session(act)
    if as_json:
        listed = [one.model_dump(mode="json", warnings=False) for one in fetches]
        print_json(row.model_dump(mode="json") | {"events": events, "fetches": listed})
    else:
        print_watch(row, events, fetches)


@app.command("import")
def import_file(
    file: Annotated[Path, Argument(help="A .yaml or .csv file, as export writes it.")],
    dry_run: Annotated[
        bool, Option("--dry-run", help="Say what would happen, write nothing.")
    ] = False,
) -> None:
    """Create and change watches as a file has them: all of it or, at a mistake, nothing."""
    definitions, warnings = read_watch_file(file)
    if not definitions:
        print_line(f"{escape(str(file))} holds no watch; nothing to import.")
        return

    # In one order, so that two imports at once cannot wait for each other.
    definitions.sort(key=lambda one: (one.user_id, one.name))

    async def act(session: AsyncSession) -> tuple[list[SavedWatch], dict[int, list[str]]]:
        saved = [await save_watch(session, definition=one) for one in definitions]
        fresh = [one.id for one in saved if one.outcome is Outcome.CREATED or one.begins_anew]
        return saved, await find_duplicates(session, watch_ids=fresh)

    saved, alike = in_session(act, commits=not dry_run)
    outcomes = [one.outcome for one in saved]
    for definition, one in zip(definitions, saved, strict=True):
        warnings += [f"watch {definition.name!r}: {warning}" for warning in alike.get(one.id, [])]
    _warn(warnings)
    for definition, outcome in zip(definitions, outcomes, strict=True):
        print_line(f"{outcome}: {escape(definition.name)}")
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in Outcome)
    out.print(f"{counts}; nothing is written in a dry run." if dry_run else f"{counts}.")


@app.command("export")
def export_file(
    file: Annotated[Path | None, Argument(help="Default: standard output.")] = None,
    form: Annotated[
        WatchFormat | None, Option("--format", help="Default: as the file is called, yaml.")
    ] = None,
    user: UserOption = None,
) -> None:
    """Write the watches' definitions, for import."""
    if form is None:
        form = format_of(file) if file else WatchFormat.YAML
    rows = in_session(lambda session: list_watches(session, user_id=user))
    written = write_watches([row.definition for row in rows], form=form)
    if file is None:
        sys.stdout.write(written)
        return
    try:
        file.write_text(written, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}; name another file.") from None
    print_line(f"Wrote {len(rows)} watches to {escape(str(file))}.")


def _set_active(watch: str, user: int | None, *, is_active: bool) -> None:
    async def act(session: AsyncSession) -> tuple[Watch, bool]:
        found = await find_watch(session, name_or_id=watch, user_id=user)
        return found, await set_active(session, watch_id=found.id, is_active=is_active)

    found, changed = in_session(act, commits=True)
    state = "active" if is_active else "paused"
    already = "" if changed else " already"
    print_line(f"Watch {found.id} ({escape(found.name)}) is {state}{already}.")


def _say(done: str, definition: WatchDefinition, warnings: Sequence[str]) -> None:
    _warn(warnings)
    print_line(escape(f"{done} ({definition.name}): {definition.cost}"))


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print_line(f"[yellow]Warning:[/] {escape(warning)}")
