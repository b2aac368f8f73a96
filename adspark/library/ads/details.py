"""Details of stored ads on demand: which ads, what they cost, and look them up."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ad_locks import lock_ads
from adspark.creatives.details import MAX_ATTEMPTS, DetailsSummary, LookUp
from adspark.db.engine import Database, read_now
from adspark.errors import BusyError, InvalidQueryError, UnknownWatchError
from adspark.serpapi.client import Gate, SerpApiClient
from adspark.validation.bounds import DETAILS_AT_ONCE, ID
from adspark.validation.stored import clean_ad_id
from adspark.watches.budgets import BILLED_THIS_MONTH

# Those that failed come last, so that one that fails again and again holds up no other.
_UNKNOWN = text("""
    SELECT c.ad_creative_id, c.advertiser_id
    FROM unnest(CAST(:ads AS text[])) WITH ORDINALITY AS i (ad_creative_id, place)
        JOIN creative c USING (ad_creative_id) LEFT JOIN creative_detail d USING (ad_creative_id)
    WHERE d.answered_at IS NULL ORDER BY d.error IS NOT NULL, i.place
""")
_OF_WATCH = text(f"""
    SELECT c.ad_creative_id, count(*) OVER () AS number
    FROM watch_creative l JOIN creative c USING (ad_creative_id)
        LEFT JOIN creative_detail d USING (ad_creative_id)
    WHERE l.watch_id = :watch_id
        AND (d.ad_creative_id IS NULL OR d.answered_at IS NULL AND d.attempts < {MAX_ATTEMPTS})
    ORDER BY d.error IS NOT NULL, c.last_shown DESC NULLS LAST, c.ad_creative_id LIMIT :most
""")  # noqa: S608  (put together from a constant)
_COUNT_KNOWN = text("""
    SELECT count(*) FROM watch_creative l JOIN creative_detail d USING (ad_creative_id)
    WHERE l.watch_id = :watch_id AND d.answered_at IS NOT NULL
""")
_WATCH = text(f"""
    SELECT name, monthly_budget, {BILLED_THIS_MONTH} AS billed FROM watch w WHERE id = :watch_id
""")  # noqa: S608  (put together from a constant)
_RESULT = text("""
    SELECT count(*) FILTER (WHERE error IS NULL) AS found,
        count(*) FILTER (WHERE error IS NOT NULL) AS refused,
        coalesce(sum(searches_billed), 0) AS searches_billed,
        coalesce(sum(searches_cached), 0) AS searches_cached
    FROM creative_detail WHERE ad_creative_id = ANY (CAST(:ads AS text[])) AND answered_at >= :since
""")
_FOUND = text("""
    SELECT c.ad_creative_id AS creative, a.name AS advertiser, d.headline, d.snippet AS body,
        d.landing_url AS "leads to", d.funded_by AS payer, d.error
    FROM creative_detail d JOIN creative c USING (ad_creative_id)
        JOIN advertiser a USING (advertiser_id)
    WHERE d.ad_creative_id = ANY (CAST(:ads AS text[])) AND d.answered_at >= :since
    ORDER BY d.answered_at
""")


class DetailsPlan(BaseModel):
    """Which ads are looked up: one search each, at most."""

    ads: list[str]
    watch_id: int | None = Field(description="The watch whose budget they are in.")
    known: int = Field(description="Ads that were meant too, and were looked up before.")
    left: int = Field(default=0, description="Of the watch without details, beyond `most`.")
    over_budget: int = Field(default=0, description="Left out since the watch's budget ends.")
    began_at: datetime


async def plan_details(
    session: AsyncSession, *, ads: Sequence[str] = (), watch_id: int | None = None, most: int
) -> DetailsPlan:
    """Which of these ads, or of a watch's with its baseline, are to be looked up.

    An ad is looked up once, also where the service knew no details of it.

    Args:
        ads: ids of stored ads, or their addresses in the Transparency Center.
        watch_id: in their place, a watch, whose ads last shown come first.
        most: ads of a watch at most.

    Raises:
        InvalidQueryError: neither or both are given, too many ads, or one that is not stored; or
            the watch's budget is spent.
        UnknownWatchError: there is no such watch.
    """
    DETAILS_AT_ONCE.check("most", most)
    if bool(ads) == (watch_id is not None):
        raise InvalidQueryError("ads", "name ads, or a watch whose ads are meant; one of them.")
    began_at = await read_now(session)
    if watch_id is not None:
        return await _plan_watch(session, watch_id, most, began_at)
    named = list(dict.fromkeys(map(clean_ad_id, ads)))
    if len(named) > DETAILS_AT_ONCE.most:
        raise InvalidQueryError(
            "ads", f"names {len(named)}; name {DETAILS_AT_ONCE.most:g} at most at once."
        )
    await lock_ads(session, ids=named)
    rows = (await session.execute(_UNKNOWN, {"ads": named})).all()
    unknown = [row.ad_creative_id for row in rows]
    return DetailsPlan(
        ads=unknown, watch_id=None, known=len(named) - len(unknown), began_at=began_at
    )


async def look_up_details(
    database: Database, client: SerpApiClient, plan: DetailsPlan, *, before_search: Gate
) -> DetailsSummary:
    """Look up the ads of a plan; what was found before a failure, or a crash, is not asked again.

    Args:
        database: where they are stored.
        client: of SerpApi.
        plan: which ads.
        before_search: awaited before each search.

    Returns:
        What came of the plan since it was made.

    Raises:
        AdSparkError: the first failure; BusyError where another run has claimed the watch, or looks
            up one of the ads.
    """
    await database.check_server()
    async with database.locks() as locks:
        look_up = LookUp(database, client, locks, plan.watch_id, before_search)
        if plan.watch_id is None:
            return await _look_up(look_up, plan, None)
        async with locks.acquire(f"watch:{plan.watch_id}") as claimed:
            if not claimed:
                raise BusyError(f"Watch {plan.watch_id} is being processed just now.")
            async with database.session() as session:
                _, budget_left = await _read_watch(session, plan.watch_id)
            return await _look_up(look_up, plan, budget_left)


async def read_looked_up(session: AsyncSession, plan: DetailsPlan) -> list[dict[str, object]]:
    """What was found of a plan's ads since it was made, as cells of a table."""
    rows = await session.execute(_FOUND, {"ads": plan.ads, "since": plan.began_at})
    return [dict(row) for row in rows.mappings()]


async def _plan_watch(
    session: AsyncSession, watch_id: int, most: int, began_at: datetime
) -> DetailsPlan:
    ID.check("watch_id", watch_id)
    name, budget_left = await _read_watch(session, watch_id)
    values = {"watch_id": watch_id, "most": most}
    unknown = (await session.execute(_OF_WATCH, values)).all()
    wanted = [row.ad_creative_id for row in unknown]
    allowed = wanted if budget_left is None else wanted[:budget_left]
    if wanted and not allowed:
        raise InvalidQueryError(
            "watch",
            f"the month's budget of watch {watch_id} ({name}) is spent",
            command=f"raise it with: adspark watch change {watch_id} --budget …",
        )
    return DetailsPlan(
        ads=allowed,
        watch_id=watch_id,
        known=int(await session.scalar(_COUNT_KNOWN, values) or 0),
        left=(unknown[0].number if unknown else 0) - len(wanted),
        over_budget=len(wanted) - len(allowed),
        began_at=began_at,
    )


async def _read_watch(session: AsyncSession, watch_id: int) -> tuple[str, int | None]:
    """The watch's name, and the searches that its budget has left; None: it has none."""
    found = (await session.execute(_WATCH, {"watch_id": watch_id})).one_or_none()
    if found is None:
        listed = "list them with: adspark watch list"
        raise UnknownWatchError(f"There is no watch {watch_id}.", command=listed)
    if found.monthly_budget is None:
        return found.name, None
    return found.name, max(0, found.monthly_budget - int(found.billed))


async def _look_up(look_up: LookUp, plan: DetailsPlan, budget_left: int | None) -> DetailsSummary:
    async with look_up.database.session() as session:
        open_ads = (await session.execute(_UNKNOWN, {"ads": plan.ads})).tuples().all()
    allowed = open_ads if budget_left is None else open_ads[:budget_left]
    await look_up.look_up(allowed)
    async with look_up.database.session() as session:
        values = {"ads": plan.ads, "since": plan.began_at}
        result = (await session.execute(_RESULT, values)).mappings().one()
        waiting = len((await session.execute(_UNKNOWN, values)).all())
    summary = DetailsSummary(**result, waiting=waiting)
    if waiting > len(open_ads) - len(allowed):
        raise BusyError(
            f"{summary}: another run looks up some of these ads; try again once it has ended."
        )
    if waiting:
        summary.problem = "the month's budget is spent"
    return summary
