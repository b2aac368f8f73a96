"""`adspark watch`: define watches (saved searches), one by one or from a file, and look at them.

They are those of the running stack, else of the configured database. Prefect is not needed here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Context, Option

from adspark.errors import ConfigurationError
from adspark.models import Fetch, Watch
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.validation.names import check_name
from adspark.watches.definition import CLEARABLE, WatchDefinition, change_definition
from adspark.watches.news import News, read_news
from adspark.watches.store import (
    Outcome,
    SavedWatch,
    change_watch,
    count_contents,
    delete_watch,
    save_watch,
    set_active,
    warn_of_duplicates,
)
from adspark.watches.stored import WatchRow, find_watch, list_fetches, list_watches
from deployments.cli.database import in_session
from deployments.cli.options import EndsWithJsonOption, JsonOption, YesOption
from deployments.cli.typed_names import warn_as_typed
from deployments.cli.users.option import user_option
from deployments.cli.watches.documents import (
    BEGINS_ANEW,
    WatchDeleted,
    WatchList,
    WatchReport,
    WatchSaved,
    WatchSwitched,
)
from deployments.cli.watches.files import export_file, import_file
from deployments.cli.watches.options import (
    UserOption,
    WatchFieldOptions,
    Which,
    takes_watch_options,
)
from deployments.cli.watches.tables import print_saved, print_watch, print_watches
from deployments.terminal.output import print_json, print_line
from deployments.terminal.questions import confirm

_EVENTS, _FETCHES = 10, 5  # that `show` shows
_EVER = datetime.fromtimestamp(0, UTC)

app = typer.Typer()


@app.command()
@takes_watch_options
def create(
    name: Annotated[str, Argument(help="The new watch's name.")],
    *,
    options: WatchFieldOptions,
    user_id: Annotated[int, user_option("--user", help="Whose watch it is.")] = 1,
    as_json: EndsWithJsonOption = False,
    context: Context,
) -> None:
    """Create a watch; the next sweep looks for the first time."""
    written = options.to_fields(as_json=as_json)
    written["name"], written["user_id"] = name, user_id
    definition, warnings = change_definition(None, written)

    async def act(session: AsyncSession) -> tuple[SavedWatch, list[str]]:
        saved = await save_watch(session, definition=definition)
        if saved.outcome is not Outcome.CREATED:
            raise ConfigurationError(
                f"name: watch {saved.id} is called {definition.name!r} already; change it with: "
                f"adspark watch change {saved.id}"
            )
        return saved, await warn_of_duplicates(session, saved)

    saved, alike = in_session(act, commits=True, acts_for=[definition.user_id])
    _say(saved, definition, warnings + alike, context, as_json=as_json)


@app.command()
@takes_watch_options
def change(
    watch: Which,
    *,
    options: WatchFieldOptions,
    name: Annotated[str | None, Option(help="Rename it.")] = None,
    clear: Annotated[
        list[str] | None, Option(metavar="FIELD", help=f"Empty it: {', '.join(CLEARABLE)}.")
    ] = None,
    user: UserOption = None,
    as_json: EndsWithJsonOption = False,
    context: Context,
) -> None:
    """Change only what is given; another search begins its past anew."""
    if name is not None:
        check_name(name, "watch")
    changes = options.to_fields(as_json=as_json)
    changes["name"] = name

    async def act(session: AsyncSession) -> tuple[SavedWatch, WatchDefinition, list[str]]:
        found = await find_watch(session, name_or_id=watch, user_id=user)
        return await change_watch(session, watch_id=found.id, changes=changes, clear=clear or [])

    saved, definition, warnings = in_session(act, commits=True)
    if saved.begins_anew:
        warnings.append(BEGINS_ANEW)
    _say(saved, definition, warnings, context, as_json=as_json)


@app.command()
def pause(watch: Which, user: UserOption = None, as_json: JsonOption = False) -> None:
    """Let a watch rest."""
    _set_active(watch, user, is_active=False, as_json=as_json)


@app.command()
def resume(watch: Which, user: UserOption = None, as_json: JsonOption = False) -> None:
    """Let a paused watch look again, from the next sweep on."""
    _set_active(watch, user, is_active=True, as_json=as_json)


@app.command()
def delete(
    watch: Which, yes: YesOption = False, user: UserOption = None, as_json: JsonOption = False
) -> None:
    """Delete a watch with what it noticed; the ads and what they cost stay."""

    async def read(session: AsyncSession) -> WatchDeleted:
        found = await find_watch(session, name_or_id=watch, user_id=user)
        contents = await count_contents(session, watch_id=found.id)
        return WatchDeleted.of(contents, watch_id=found.id, name=found.name)

    found = in_session(read)
    what = (
        f"watch {found.watch_id} ({found.name}) with its links to "
        f"{counted(found.creatives, 'ad')} and its {counted(found.events, 'event')}"
    )
    if not yes:
        confirm(f"Delete {plain(what)}? The ads themselves stay.")
    in_session(lambda session: delete_watch(session, watch_id=found.watch_id), commits=True)
    print_json(found) if as_json else print_line(f"Deleted {escape(what)}.")


@app.command("list")
def list_all(as_json: JsonOption = False, user: UserOption = None) -> None:
    """List the watches: what they look for, what they found, what they cost this month."""
    rows = in_session(lambda session: list_watches(session, user_id=user))
    print_json(WatchList(watches=rows)) if as_json else print_watches(rows, user)


@app.command()
def show(watch: Which, as_json: JsonOption = False, user: UserOption = None) -> None:
    """Show all about one watch: definition, state, last events and fetches."""

    async def act(session: AsyncSession) -> tuple[WatchRow, list[News], Sequence[Fetch]]:
        watch_id = (await find_watch(session, name_or_id=watch, user_id=user)).id
        (row,) = await list_watches(session, watch_ids=[watch_id])
        events = await read_news(session, watch_ids=[watch_id], since=_EVER, limit=_EVENTS)
        return row, events, await list_fetches(session, watch_id=watch_id, limit=_FETCHES)

    row, events, fetches = in_session(act)
    if as_json:
        print_json(WatchReport.of(row, events=events, fetches=fetches))
    else:
        print_watch(row, events, fetches)


app.command("import")(import_file)
app.command("export")(export_file)


def _set_active(watch: str, user: int | None, *, is_active: bool, as_json: bool) -> None:
    async def act(session: AsyncSession) -> tuple[Watch, bool]:
        found = await find_watch(session, name_or_id=watch, user_id=user)
        return found, await set_active(session, watch_id=found.id, is_active=is_active)

    found, changed = in_session(act, commits=True)
    if as_json:
        print_json(
            WatchSwitched(watch_id=found.id, name=found.name, is_active=is_active, changed=changed)
        )
        return
    state = "active" if is_active else "paused"
    already = "" if changed else " already"
    print_line(f"Watch {found.id} ({escape(found.name)}) is {state}{already}.")


def _say(
    saved: SavedWatch,
    definition: WatchDefinition,
    warnings: list[str],
    context: Context,
    *,
    as_json: bool,
) -> None:
    told = [warn_as_typed(one, context.command.params) for one in warnings]
    done = WatchSaved.of(
        saved, watch_id=saved.id, definition=definition, cost=definition.cost, warnings=told
    )
    print_json(done) if as_json else print_saved(done)
