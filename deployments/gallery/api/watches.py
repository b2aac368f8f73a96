"""Watches for programs: what they look for, how complete their last look was, news, and cost."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import UnknownWatchError
from adspark.validation.days import check_moment_has_come
from adspark.validation.numbers import Whole
from adspark.watches.budgets import read_budget
from adspark.watches.news import News, read_news
from adspark.watches.sharing.use import SharedBudget, read_user_shares
from adspark.watches.stored import WatchRow, list_watches
from deployments.gallery.days import Moment
from deployments.gallery.numbers import Number
from deployments.gallery.resources import SessionDep

router = APIRouter(tags=["watches"])

_LARGEST_EVENT = 2**63 - 1


class NewsPage(BaseModel):
    """A page of what a watch noticed, and whether it could see all."""

    watch: WatchRow = Field(description="With the coverage and the time of its last check.")
    news: list[News] = Field(description="The latest first.")
    next: int | None = Field(description="Where the next page begins; None: this was the last.")


@router.get("/watches")
async def list_all(session: SessionDep) -> list[WatchRow]:
    """All watches: what each looks for, found and cost, and how its last check went."""
    return await list_watches(session)


@router.get("/watches/{watch_id}")
async def read_one(session: SessionDep, watch_id: Number) -> WatchRow:
    """One watch."""
    return await _read_watch(session, watch_id)


@router.get("/watches/{watch_id}/news")
async def read_page_of_news(
    session: SessionDep,
    watch_id: Number,
    since: Annotated[Moment, Query(description="From this moment on; UTC without a zone.")],
    limit: Annotated[Whole, Query(ge=1, le=1000)] = 100,
    after: Annotated[
        Whole | None, Query(ge=1, le=_LARGEST_EVENT, description="`next` of the page before.")
    ] = None,
) -> NewsPage:
    """What a watch noticed since a moment; the first look is no news."""
    moment = since if since.tzinfo else since.replace(tzinfo=UTC)
    check_moment_has_come("since", moment)
    watch = await _read_watch(session, watch_id)
    found = await read_news(
        session, watch_ids=[watch_id], since=moment, limit=limit + 1, before=after
    )
    news = found[:limit]
    return NewsPage(watch=watch, news=news, next=news[-1].event_id if len(found) > limit else None)


@router.get("/budget", tags=["budget"])
async def read_cost(session: SessionDep) -> SharedBudget:
    """What searching has cost this month and will; the account's own figures are not asked for."""
    report = await read_budget(session)
    return SharedBudget(**report.model_dump(), users=await read_user_shares(session))


async def _read_watch(session: AsyncSession, watch_id: int) -> WatchRow:
    found = await list_watches(session, watch_ids=[watch_id])
    if not found:
        raise UnknownWatchError(f"There is no watch {watch_id}.")
    return found[0]
