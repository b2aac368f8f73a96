"""Watches as they are stored: found by name, read, and listed with what they found and cost."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.errors import ConfigurationError
from adspark.models import Coverage, Fetch, FetchStatus, StopReason, Watch
from adspark.text.quotes import in_quotes
from adspark.validation.bounds import LARGEST_ID
from adspark.validation.names import check_name
from adspark.validation.near_names import MOST_COMPARED, describe_unknown
from adspark.watches.budgets import BILLED_THIS_MONTH, NEXT_LOOK
from adspark.watches.definition import WatchDefinition

_FIELDS = tuple(WatchDefinition.model_fields)

_LIST = text(f"""
    WITH stored AS (
        SELECT watch_id, count(*) AS ads FROM watch_creative JOIN creative USING (ad_creative_id)
        WHERE CAST(:watch_ids AS int[]) IS NULL OR watch_id = ANY (CAST(:watch_ids AS int[]))
        GROUP BY 1
    )
    SELECT id, due_at, {NEXT_LOOK} AS next_look, checked_at, coverage, problem,
        baseline_at, complete_at, has_gaps,
        json_build_object({", ".join(f"'{name}', w.{name}" for name in _FIELDS)}) AS definition,
        (SELECT u.name FROM app_user u WHERE u.user_id = w.user_id) AS user,
        CASE WHEN is_active THEN 'active' ELSE 'paused' END AS state,
        ARRAY(
            SELECT coalesce(nullif(a.name, ''), i.id)
            FROM unnest(w.advertiser_ids) WITH ORDINALITY AS i (id, place)
            LEFT JOIN advertiser a ON a.advertiser_id = i.id ORDER BY place
        ) AS advertisers,
        coalesce((SELECT ads FROM stored WHERE watch_id = w.id), 0) AS creatives,
        (SELECT count(*) FROM creative_event
         WHERE watch_id = w.id AND kind IN ('new', 'changed', 'reactivated', 'ended')
            AND occurred_at > now() - interval '7 days') AS recent_events,
        {BILLED_THIS_MONTH} AS searches_this_month
    FROM watch w
    WHERE (CAST(:user_id AS int) IS NULL OR user_id = :user_id)
        AND (CAST(:watch_ids AS int[]) IS NULL OR id = ANY (CAST(:watch_ids AS int[])))
    ORDER BY user_id, lower(name), id
""")  # noqa: S608  (put together from the names of the fields)


class WatchState(StrEnum):
    """Whether sweeps check a watch."""

    ACTIVE = "active"
    PAUSED = "paused"


class WatchRow(BaseModel):
    """A watch in a list: its definition, how its last check went, and what it found and cost."""

    id: int
    definition: WatchDefinition
    user: str | None = Field(default=None, description="Name of the user whose it is.")
    advertisers: list[str]
    state: WatchState
    due_at: datetime = Field(description="Whatever is left of its budget; see `next_look`.")
    next_look: datetime | None = Field(
        description="None: never, for it is paused or its budget is 0."
    )
    checked_at: datetime | None
    coverage: Coverage | None
    problem: str | None
    baseline_at: datetime | None
    complete_at: datetime | None
    has_gaps: bool
    creatives: int = Field(description="Ads that it finds and that are stored.")
    recent_events: int
    searches_this_month: int


async def find_watch(
    session: AsyncSession, *, name_or_id: str, user_id: int | None = None
) -> Watch:
    """The watch that a person means: by its id where it is a number, else by its name, in any case
    of letters where none is written just so.

    Args:
        name_or_id: as a person writes it.
        user_id: whose watches; None: anybody's.

    Raises:
        ConfigurationError: there is none, or several are called so.
    """
    written = name_or_id.strip()
    of_user = [] if user_id is None else [col(Watch.user_id) == user_id]
    if re.fullmatch("[0-9]{1,10}", written) and int(written) <= LARGEST_ID:
        by_id = await session.scalar(select(Watch).where(col(Watch.id) == int(written), *of_user))
        if by_id is not None:
            return by_id
    name = check_name(written, "watch")
    for is_named in (col(Watch.name) == name, func.lower(Watch.name) == name.lower()):
        named = select(Watch).where(is_named, *of_user).order_by(col(Watch.user_id), col(Watch.id))
        if found := (await session.scalars(named)).all():
            break
    if not found:
        known = select(col(Watch.name)).where(*of_user).distinct().order_by(col(Watch.name))
        names = await session.scalars(known.limit(MOST_COMPARED))
        raise unknown_watch(in_quotes(written), names)
    if len(found) > 1:
        several = ", ".join(f"{watch.id} (user {watch.user_id})" for watch in found)
        raise ConfigurationError(
            f"Several watches are called {in_quotes(written)}; name the number of one: {several}."
        )
    return found[0]


async def read_watch(session: AsyncSession, *, watch_id: int) -> Watch | None:
    """A watch as it is stored, no longer bound to the session; None where there is no such."""
    found: Watch | None = await session.scalar(select(Watch).where(col(Watch.id) == watch_id))
    if found is not None:
        session.expunge(found)
    return found


async def list_watches(
    session: AsyncSession,
    *,
    user_id: int | None = None,
    watch_ids: Collection[int] | None = None,
) -> list[WatchRow]:
    """The watches of a user, or of all, or some: what they look for, found and cost.

    Args:
        user_id: only of this user.
        watch_ids: only these.
    """
    values = {"user_id": user_id, "watch_ids": None if watch_ids is None else list(watch_ids)}
    rows = await session.execute(_LIST, values)
    return [WatchRow.model_validate(row) for row in rows.mappings()]


async def list_watch_names(session: AsyncSession) -> dict[int, str]:
    """The names of all watches by their ids, in the order of names."""
    named = select(col(Watch.id), col(Watch.name)).order_by(func.lower(Watch.name), col(Watch.id))
    return dict((await session.execute(named)).tuples().all())


async def list_fetches(session: AsyncSession, *, watch_id: int, limit: int) -> Sequence[Fetch]:
    """The last fetches of a watch, the latest first.

    Args:
        watch_id: of the watch.
        limit: how many at most.
    """
    mine = select(Fetch).where(col(Fetch.watch_id) == watch_id)
    return (await session.scalars(mine.order_by(col(Fetch.started_at).desc()).limit(limit))).all()


def partial_fetches(fetches: Sequence[Fetch], coverage: Coverage | None) -> set[UUID]:
    """The ids of those of a watch's fetches, the latest first, that reached their end, though its
    last look is known to have seen only a part.
    """
    ended = [one for one in fetches if one.stop_reason in (StopReason.END, StopReason.WATERMARK)]
    done = next((one for one in fetches if one.status is not FetchStatus.RUNNING), None)
    last = done if coverage is Coverage.PARTIAL else None
    return {one.id for one in ended if one is last or one.rejected_count}


def unknown_watch(which: str, known: Iterable[str] = ()) -> ConfigurationError:
    """The error of a watch that there is not, with the name among `known` that may be meant."""
    said = describe_unknown(f"There is no watch {which}.", which, known)
    return ConfigurationError(said, command="list them with: adspark watch list")
