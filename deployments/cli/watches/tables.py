"""Watches on the terminal: the list, and all about one."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.text import Text

from adspark.models import Coverage, Fetch, StopReason
from adspark.serpapi.regions import region_name, region_short
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.watches.definition import WatchDefinition
from adspark.watches.news import News
from adspark.watches.store import Outcome
from adspark.watches.stored import WatchRow, WatchState, partial_fetches
from deployments.cli.empty_lists import print_none
from deployments.cli.watches.documents import (
    FieldChange,
    ImportedWatch,
    WatchesImported,
    WatchSaved,
)
from deployments.terminal.output import out, print_facts, print_line
from deployments.terminal.tables import age, moment, table

_NAME_WIDTH = 18  # columns of a name; a longer one takes several lines
_ADVERTISER_ID = re.compile(r"^(AR\d{4})\d{12}(\d{4})$")  # shown by both ends, without a name
_MOST_LISTED = 2  # of what a watch looks for; `show` has it all
_RESULTS = {
    StopReason.END: "end of the list",
    StopReason.WATERMARK: "all that is new",
    StopReason.PAGE_LIMIT: "stopped by max_pages",
    StopReason.BUDGET: "stopped by its budget",
    StopReason.GAP: "SerpApi broke off",
    StopReason.ERROR: "failed",
}


def print_watches(rows: Sequence[WatchRow], user: int | None) -> None:
    """The list, of a user's or of all, and below it why a last look did not see everything."""
    if not rows:
        make = "make one with: adspark watch create"
        print_none("watch", asked={"user": user}, make=make, every="adspark watch list")
        return
    many = len({row.definition.user_id for row in rows}) > 1
    shown = [_cells(row, with_user=many) for row in rows]
    out.print(table("Watches", shown, wraps="looks for"))
    for row in rows:
        if row.problem:
            out.print(f"{row.id} ({escape(row.definition.name)}): {escape(row.problem)}")


def print_watch(row: WatchRow, events: Sequence[News], fetches: Sequence[Fetch]) -> None:
    """One watch: definition, how it goes, what it noticed last and what it fetched last.

    Args:
        row: as it is listed.
        events: the latest first.
        fetches: the latest first.
    """
    out.print(f"[bold]{row.id} {escape(row.definition.name)}[/] ({row.state})")
    print_facts(_definition(row) | _progress(row), width=14)
    if events:
        out.print(table("Latest news", [_event(one) for one in events]))
    if fetches:
        partial = partial_fetches(fetches, row.coverage)
        looks = [_fetch(one, is_partial=one.id in partial) for one in fetches]
        out.print(table("Last looks", looks, wraps="error"))


def _cells(row: WatchRow, *, with_user: bool) -> dict[str, object]:
    return {
        "id": row.id,
        **({"user": _folded(row.user or str(row.definition.user_id))} if with_user else {}),
        "name": _folded(row.definition.name),
        "looks for": ", ".join([*_shorten_list(row.advertisers), *_narrowed(row.definition)]),
        "state": _state(row),
        "last look": age(row.checked_at),
        "ads": row.creatives,
        "news": row.recent_events,
        "searches": _spent(row),
    }


def _state(row: WatchRow) -> str:
    if row.state is WatchState.PAUSED:
        return "paused"
    return row.coverage or ("waiting" if row.next_look else "no budget")


def _definition(row: WatchRow) -> dict[str, str]:
    watch = row.definition
    return {
        "looks for": ", ".join([*row.advertisers, *_narrowed(watch)]),
        "advertisers": ", ".join(watch.advertiser_ids) or "any",
        "looks": f"every {counted(watch.interval_minutes, 'minute')}; {watch.cost}",
        "ended": f"when not shown for {counted(watch.ended_after_days, 'day')}",
        "user": str(watch.user_id),
    }


def _progress(row: WatchRow) -> dict[str, str]:
    complete = moment(row.complete_at) if row.complete_at else "never yet"
    gaps = " (ads may be missing from it)" if row.has_gaps else ""
    return {
        "last look": _last_look(row),
        "complete": f"{complete}{gaps}",
        "next look": _next_look(row),
        "known ads": f"{row.creatives}; news in the last 7 days: {row.recent_events}",
        "searches": f"{_spent(row)} this month",
    }


def _last_look(row: WatchRow) -> str:
    """When it was, or was tried, and how far it saw."""
    if row.checked_at is None:
        return "none yet"
    checked, problem = moment(row.checked_at), f": {row.problem}" if row.problem else ""
    if row.coverage is Coverage.NONE:
        return f"tried {checked}{problem}"
    return f"{checked}, {row.coverage} coverage{problem}"


def _next_look(row: WatchRow) -> str:
    """When it is, and why so late where the budget holds it back."""
    budget = row.definition.monthly_budget
    if row.next_look is None:
        return "none" if row.state is WatchState.PAUSED else "none, its budget is 0"
    is_spent = budget is not None and row.searches_this_month >= budget
    return moment(row.next_look) + (", its budget is spent" if is_spent else "")


def _narrowed(watch: WatchDefinition) -> list[str]:
    political = "political" if watch.political_ads else None
    region = region_name(watch.region) if watch.region else None
    found = (watch.text, region, watch.platform, watch.creative_format, political)
    return [str(one) for one in found if one]


def _event(event: News) -> dict[str, object]:
    cells = event.cells() | {"advertiser": _short(event.advertiser)}
    shown = ("what", "advertiser", "format", "last shown", "ad")
    return {"ago": age(event.occurred_at), **{name: cells[name] for name in shown}}


def _fetch(fetch: Fetch, *, is_partial: bool) -> dict[str, object]:
    result = _RESULTS[fetch.stop_reason] if fetch.stop_reason else fetch.status
    return {
        "started": moment(fetch.started_at),
        "result": Coverage.PARTIAL if is_partial else result,
        "pages": fetch.pages,
        "not stored before": fetch.new_count,
        "changed": fetch.changed_count,
        "billed": fetch.searches_billed,
        "cached": fetch.searches_cached,
        **({"error": fetch.error} if fetch.error else {}),
    }


def _spent(row: WatchRow) -> str:
    budget = row.definition.monthly_budget
    return f"{row.searches_this_month}" + ("" if budget is None else f"/{budget}")


def _folded(name: str) -> list[str]:
    """A name on as many lines as it takes."""
    lines = Text(plain(name)).wrap(out, _NAME_WIDTH, overflow="fold")
    return [line.plain.rstrip() for line in lines]


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1].rstrip() + "…"


def print_saved(done: WatchSaved) -> None:
    """What saving a watch did, and what it costs."""
    print_warnings(done.warnings)
    words = {Outcome.CREATED: "Created", Outcome.CHANGED: "Changed"}
    said = words.get(done.outcome, "Nothing to change in")
    print_line(escape(f"{said} watch {done.watch_id} ({done.definition.name}): {done.cost}"))


def print_imported(done: WatchesImported, file: Path) -> None:
    """A line for each watch of the file, with its cost where it is changed, and their numbers."""
    print_warnings(done.warnings)
    if not done.watches:
        print_line(f"{escape(str(file))} holds no watch; nothing to import.")
        return
    for one in done.watches:
        print_line(escape(_imported(one)))
        if one.outcome is not Outcome.UNCHANGED:
            print_line(f"  {one.cost}")
    outcomes = [one.outcome for one in done.watches]
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in Outcome)
    print_line(f"{counts}; nothing is written in a dry run." if done.dry_run else f"{counts}.")


def _imported(one: ImportedWatch) -> str:
    """What became of a watch, and of each field that is another one now."""
    said = f"{one.outcome}: {one.name}"
    changes = ", ".join(map(_change, one.changes))
    return f"{said}: {changes}" if changes else said


def _change(one: FieldChange) -> str:
    if one.field == "is_active":
        return "resumed" if one.after else "paused"
    return f"{one.field} {_value(one.field, one.before)} → {_value(one.field, one.after)}"


def _value(field: str, value: object) -> str:
    """A field's value as a file has it, in short."""
    if field == "region" and value:
        return region_short(str(value))
    if isinstance(value, list):
        return " ".join(_shorten_list(value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _shorten_list(values: Sequence[str]) -> list[str]:
    """The first values, ids of advertisers by both ends, and how many more there are."""
    more = len(values) - _MOST_LISTED
    shown = [_ADVERTISER_ID.sub(r"\1…\2", one) for one in values[:_MOST_LISTED]]
    return [*shown, f"+{more}"] if more > 0 else shown


def print_warnings(warnings: Sequence[str]) -> None:
    """A line each, among what is said of the watch."""
    for warning in warnings:
        print_line(f"[yellow]Warning:[/] {escape(warning)}")
