"""Tools on watches: what is new, the list with how complete their looks were, the budget."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, NoReturn

from pydantic import BaseModel, Field

from adspark.errors import InvalidQueryError
from adspark.library.filters.parsing import parse_day
from adspark.text.counts import counted
from adspark.validation.days import check_moment_has_come
from adspark.validation.numbers import Whole
from adspark.validation.stored import check_storable
from adspark.watches.budgets import read_budget
from adspark.watches.news import News, read_news
from adspark.watches.reports.news_pages import NewsPage, read_news_page
from adspark.watches.reports.watch_pages import read_watch_page
from adspark.watches.stored import WatchRow, WatchState
from deployments.mcp.answers import Answer
from deployments.mcp.coverage import Coverage, cover_watches, own_records
from deployments.mcp.lookup import find_watch_id
from deployments.mcp.tool import Arguments, Asked, Text, tool

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
_MOST_WATCHES = 1000  # of which is said how complete they were looked at
_LARGEST_EVENT = 2**63 - 1


class NewsArguments(Arguments):
    """Since when, and of which watch."""

    since: Annotated[
        str,
        Field(
            max_length=40,
            description="day, week or month before now; or a day or time in UTC: 2026-08-31T08:00.",
        ),
    ] = "day"
    watch: Annotated[Text | None, Field(description="Name or number; without: all.")] = None
    limit: Annotated[Whole, Field(ge=1, le=100)] = 20
    after: Annotated[
        int | None, Field(ge=1, le=_LARGEST_EVENT, description="`next` of the page before.")
    ] = None


class ListArguments(Arguments):
    """Which watches."""

    watch: Annotated[Text | None, Field(description="A part of the name; without: all.")] = None
    state: WatchState | None = None
    page: Annotated[Whole, Field(ge=1, le=10_000)] = 1
    limit: Annotated[Whole, Field(ge=1, le=100, description="Watches of a page.")] = 25


class NoArguments(Arguments):
    """None."""


class NewsFound(BaseModel):
    """A page of what watches noticed."""

    since: datetime
    news: list[News] = Field(description="The latest first.")
    next: int | None = Field(description="Where the next page begins; None: this was the last.")


class WatchesFound(BaseModel):
    """A page of watches; `total` are those of all pages."""

    watches: list[WatchRow]
    total: int


@tool("list_news", "What is new")
async def list_news(asked: Asked, arguments: NewsArguments) -> Answer:
    """What the watches noticed since a time: ads launched (new), changed, ended, reactivated, the
    latest first. Says of each watch whether it was looked at completely since then: if not, nothing
    new means not known.
    """
    session, since = asked.session, _read_since(arguments.since)
    chosen = None if arguments.watch is None else await find_watch_id(session, arguments.watch)
    page = await read_news_page(session, since=since, watch_id=chosen, limit=_MOST_WATCHES)
    found = await read_news(
        session,
        watch_ids=[one.id for one in page.watches],
        since=since,
        limit=arguments.limit + 1,
        before=arguments.after,
    )
    news = found[: arguments.limit]
    has_more = len(found) > arguments.limit
    return Answer(
        _cover_news(page, since),
        {"page": NewsFound(since=since, news=news, next=news[-1].event_id if has_more else None)},
    )


def _cover_news(page: NewsPage, since: datetime) -> Coverage:
    coverage = cover_watches(((one.id, one.name, one) for one in page.watches), since=since)
    asked, stored = len(page.watches), page.totals.watches
    if stored > asked:
        return coverage.lacking(
            f"Only {asked:,} of {counted(stored, 'watch')} were asked; name one."
        )
    return coverage


def _refuse_since(written: str) -> NoReturn:
    if day := _DAY.match(written.strip()):
        parse_day("since", day[0])  # the calendar may lack it
    raise InvalidQueryError(
        "since", f"{written!r} is no time; write day, week, month, 2026-08-31 or 2026-08-31T08:00."
    ) from None


def _read_since(written: str) -> datetime:
    if span := _SPANS.get(written.strip().lower()):
        return datetime.now(UTC) - span
    try:
        moment = datetime.fromisoformat(written.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter where it lies before year 1 in UTC
        _refuse_since(written)
    check_moment_has_come("since", moment)
    return moment


@tool("list_watches", "Watches")
async def list_watches(asked: Asked, arguments: ListArguments) -> Answer:
    """The watches: what each looks for, what it found and cost, when and how completely it was last
    looked at, and the problem where it was not.
    """
    check_storable("watch", arguments.watch)
    found = await read_watch_page(
        asked.session,
        name=arguments.watch,
        state=arguments.state,
        limit=arguments.limit,
        offset=(arguments.page - 1) * arguments.limit,
    )
    coverage = cover_watches(
        (one.row.id, one.row.definition.name, one.looks) for one in found.lines
    )
    if not found.lines and found.stored:  # who looks is known, and is none of them
        fitting = f"{found.total:,} of them fit" if found.total else "none is what was asked for"
        later = f", and page {arguments.page:,} is after the last one" if found.total else ""
        coverage = own_records(f"All {counted(found.stored, 'watch')}; {fitting}{later}.")
    rows = [one.row for one in found.lines]
    return Answer(coverage, {"page": WatchesFound(watches=rows, total=found.total)})


@tool("show_budget", "What searching costs")
async def show_budget(asked: Asked, arguments: NoArguments) -> Answer:
    """Searches billed this month by watch and day, those from the cache, and the forecast for the
    month. What the account has left is not asked.
    """
    coverage = Coverage(
        is_complete=False,
        as_of=datetime.now(UTC),
        looked_at=["All searches of this month that AdSpark was billed, and its forecast."],
        not_looked_at=[
            "The SerpApi account was not asked: how many searches it has left, and its plan, are "
            "not known here. What generations cost is not known either."
        ],
    )
    return Answer(coverage, {"budget": await read_budget(asked.session)})
