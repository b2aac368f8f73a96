"""Every statement that turns what a watch sees into links and events, each event once.

An event is the step of a link from one state to the next (unknown, linked with a content hash,
ended), made in the transaction that stores the page. So whatever is repeated makes no second one.
"""

from datetime import datetime

from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import BusyError, UnknownWatchError
from adspark.models import Coverage, CreativeFormat, EventKind, Fetch, StopReason, Watch
from adspark.serpapi.payloads import LAG, CreativePayload, SearchPage
from adspark.text.counts import counted
from adspark.watches.news import EVENT_WORDS

_FEWEST = 2  # times as many as it lists may be running, for a whole list to be believed

# The watch as it was when its check began, locked against changes until the page is committed.
_WATCH = """
    SELECT id, baseline_at, complete_at, has_gaps, ended_after_days FROM watch
    WHERE id = :watch_id AND updated_at = :updated_at FOR SHARE
"""
_BEFORE = "CAST(:started_at AS timestamptz) - make_interval(days => w.ended_after_days)"
_LAG = f"make_interval(days => {LAG.days})"
_LONG_AGO = _BEFORE.replace("w.ended_after_days", f"greatest(w.ended_after_days, {LAG.days})")
_ID, _ADVERTISER_ID = (f"'^{kind}[0-9]{{20}}$'" for kind in ("CR", "AR"))
# Of an ad whose picture is not known.
_PICTURELESS = ", ".join(f"md5('{one}||')" for one in CreativeFormat)
# Of this ad where only one of its image and its link was known.
_WITH_ONE_MEDIUM = """
    md5(c.format || '|' || c.image_url || '|'), md5(c.format || '||' || c.video_link)
"""

# A day in the future cannot be true and is replaced by the next answer's.
_LINK_SHOWN = """
    CASE WHEN l.last_shown > now() + interval '1 day' THEN judged.last_shown
         ELSE greatest(l.last_shown, judged.last_shown) END
"""

# On an unknown creative: before the baseline is complete it is part of it. Afterwards it is new,
# unless it may have been there all the time: where the baseline had gaps and it was first shown
# before that, or where it is not shown any more and was first shown before the last look.
# On a known one: an image or a link that was not known before is learned, not changed, and one that
# is missing this time is not lost (the stored ad may have been removed meanwhile); a day that is
# long past is learned as well; one that had ended and is shown again is reactivated. `judged` sees
# every link as it was before this statement.
_LINK = text(f"""
    WITH w AS ({_WATCH}), seen AS (
        SELECT c.ad_creative_id, c.content_hash, p.last_shown, p.last_shown < {_BEFORE} AS is_old,
            l.ad_creative_id IS NULL AS is_unknown,
            l.content_hash AS known_hash, l.last_shown AS known_shown, l.last_matched_at,
            l.ended_at IS NOT NULL AS had_ended, c.advertiser_id,
            coalesce(c.content_hash NOT IN ({_PICTURELESS})
                AND l.content_hash IN ({_PICTURELESS}, {_WITH_ONE_MEDIUM}), false) AS is_learned,
            c.content_hash IN ({_PICTURELESS})
                AND l.content_hash NOT IN ({_PICTURELESS}) AS is_lost,
            CASE WHEN w.baseline_at IS NULL
                OR w.has_gaps AND coalesce(c.first_shown < w.baseline_at, true)
                OR p.last_shown < {_LONG_AGO} AND coalesce(
                    c.first_shown < coalesce(w.complete_at, w.baseline_at) - {_LAG}, true)
            THEN 'baseline' ELSE 'new' END AS if_unknown
        FROM w
        CROSS JOIN json_to_recordset(CAST(:rows AS json))
            AS p (ad_creative_id text, last_shown timestamptz)
        CROSS JOIN LATERAL (
            SELECT * FROM creative WHERE ad_creative_id = p.ad_creative_id LIMIT 1
        ) c
        LEFT JOIN LATERAL (
            SELECT * FROM watch_creative
            WHERE watch_id = w.id AND ad_creative_id = p.ad_creative_id LIMIT 1
        ) l ON true
    ), judged AS (
        SELECT *,
            NOT is_unknown AND content_hash <> known_hash
                AND NOT is_learned AND NOT is_lost AS is_changed,
            had_ended AND NOT is_old AND last_shown > known_shown AS is_reactivated
        FROM seen
    ), linked AS (
        INSERT INTO watch_creative
            (watch_id, ad_creative_id, advertiser_id, content_hash, last_shown, ended_at)
        SELECT :watch_id, ad_creative_id, advertiser_id, content_hash, last_shown,
            CASE WHEN is_old THEN now() END
        FROM judged WHERE is_unknown ORDER BY ad_creative_id
    ), moved AS (
        UPDATE watch_creative AS l SET
            advertiser_id = judged.advertiser_id,
            content_hash = CASE WHEN is_lost
                THEN l.content_hash ELSE judged.content_hash END,
            last_shown = {_LINK_SHOWN},
            ended_at = CASE WHEN is_reactivated THEN NULL
                            WHEN known_shown IS NULL AND is_old THEN coalesce(l.ended_at, now())
                            ELSE l.ended_at END,
            undated_fetch_id = CASE WHEN judged.last_shown IS NULL
                THEN :fetch_id ELSE l.undated_fetch_id END,
            last_matched_at = now()
        FROM judged
        WHERE l.watch_id = :watch_id AND l.ad_creative_id = judged.ad_creative_id
            AND (judged.content_hash <> known_hash OR is_reactivated OR judged.last_shown IS NULL
                 OR known_shown IS DISTINCT FROM {_LINK_SHOWN}
                 OR judged.last_matched_at < now() - interval '1 day')
    ), happened AS (
        SELECT ad_creative_id, content_hash, if_unknown AS kind FROM judged WHERE is_unknown
        UNION ALL
        SELECT ad_creative_id, content_hash, 'changed' FROM judged WHERE is_changed
        UNION ALL
        SELECT ad_creative_id, content_hash, 'reactivated' FROM judged WHERE is_reactivated
    ), events AS (
        INSERT INTO creative_event
            (watch_id, ad_creative_id, kind, content_hash, announced_at, notified_at)
        SELECT :watch_id, ad_creative_id, kind, content_hash,
            CASE WHEN kind = 'baseline' THEN now() END, CASE WHEN kind = 'baseline' THEN now() END
        FROM happened ORDER BY ad_creative_id
    )
    SELECT EXISTS (SELECT FROM w) AS is_same,
        (SELECT json_object_agg(kind, number)
         FROM (SELECT kind, count(*) AS number FROM happened GROUP BY kind) AS counted) AS events
""")  # noqa: S608  (put together from constants)

# The watch is due its interval after it was due, for sweeps come every half hour and checks some
# minutes later; but within an hour SerpApi would answer from its cache, which has no news.
# An ad that this fetch could not read, or whose day it could not, is not known to have ended. A row
# whose very id cannot be read may be any ad of its advertiser, but not one that was still listed
# after the row had come.
_CLOSE = text(f"""
    WITH w AS (
        UPDATE watch SET
            baseline_at = coalesce(baseline_at, :started_at),
            complete_at = CASE WHEN :is_reached
                               THEN CAST(:started_at AS timestamptz) ELSE complete_at END,
            has_gaps = CASE WHEN :is_whole THEN false ELSE has_gaps OR baseline_at IS NULL END,
            checked_at = now(), coverage = :coverage, problem = :problem,
            due_at = now() + greatest(
                make_interval(mins => interval_minutes)
                    - least(greatest(now() - due_at, interval '0'), interval '30 minutes'),
                make_interval(mins => least(interval_minutes, 60))
            )
        WHERE id = :watch_id AND updated_at = :updated_at
        RETURNING id, ended_after_days
    ), ended AS (
        UPDATE watch_creative AS l SET ended_at = now()
        FROM w
        WHERE :may_have_ended AND l.watch_id = w.id
            AND l.ended_at IS NULL AND l.last_shown < {_BEFORE}
            AND NOT EXISTS (
                SELECT FROM rejected_row r
                WHERE r.fetch_id = :fetch_id
                    AND CASE WHEN btrim(r.payload->>'ad_creative_id') ~ {_ID}
                    THEN btrim(r.payload->>'ad_creative_id') = l.ad_creative_id
                    ELSE coalesce(btrim(r.payload->>'advertiser_id') !~ {_ADVERTISER_ID}
                            OR btrim(r.payload->>'advertiser_id') = l.advertiser_id, true)
                        AND NOT EXISTS (
                            SELECT FROM rejected_row AS earlier
                            WHERE earlier.row_key = r.row_key
                                AND earlier.created_at < l.last_matched_at
                        )
                    END
            )
            AND l.undated_fetch_id IS DISTINCT FROM :fetch_id
        RETURNING l.ad_creative_id, l.content_hash
    ), events AS (
        INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash)
        SELECT :watch_id, ad_creative_id, 'ended', content_hash FROM ended ORDER BY 1, 2
    )
    SELECT EXISTS (SELECT FROM w) AS is_same, (SELECT count(*) FROM ended) AS ended
""")  # noqa: S608  (put together from constants)

_IS_UNCHANGED = text(
    "SELECT EXISTS (SELECT FROM watch WHERE id = :watch_id AND updated_at = :updated_at)"
)
_LINKED = text("SELECT ad_creative_id FROM watch_creative WHERE watch_id = :watch_id")
_IS_THERE = text("SELECT EXISTS (SELECT FROM watch WHERE id = :watch_id)")
_ROWS = TypeAdapter(list[CreativePayload])
_SEEN = {"__all__": {"ad_creative_id", "last_shown"}}


class EventCounts(BaseModel):
    """How many events of each kind."""

    baseline: int = 0
    new: int = 0
    changed: int = 0
    reactivated: int = 0
    ended: int = 0

    def add(self, other: "EventCounts") -> None:
        """Add what another count holds."""
        for kind in EventKind:
            setattr(self, kind, getattr(self, kind) + getattr(other, kind))

    @property
    def news(self) -> int:
        """Those that are reported to a person."""
        return self.new + self.changed + self.reactivated + self.ended

    @property
    def pictures(self) -> int:
        """Those of ads whose picture may not be known yet."""
        return self.baseline + self.new + self.changed

    def __str__(self) -> str:
        counts = ((EVENT_WORDS[kind], getattr(self, kind)) for kind in EventKind)
        return ", ".join(f"{number} {word}" for word, number in counts if number) or "nothing new"


class CoverageResult(BaseModel):
    """How much of the watch's search a fetch has covered, and what stood in the way."""

    coverage: Coverage = Coverage.NONE
    is_reached: bool = Field(default=False, description="Down to the end or the watermark.")
    is_whole: bool = Field(
        default=False, description="The whole search, every row readable, none slipped past."
    )
    problem: str | None = None


class KnownAds(BaseModel):
    """How many ads a watch has linked, and how many of them are not known to have ended."""

    seen: int = 0
    running: int = 0


def assess_coverage(
    fetch: Fetch, stop: StopReason, max_pages: int, known: KnownAds, *, is_steady: bool
) -> CoverageResult:
    """How much of a watch's search a fetch has covered.

    Ads that have stopped stay listed for about a year. So a whole list of fewer than half of the
    ads that were running is not believed. An empty one is where the watch has seen ads, and they
    have all ended.

    Args:
        fetch: with the figures of all its pages.
        stop: why it stopped.
        max_pages: of the watch, for the problem's text.
        known: the ads of the watch when its check began.
        is_steady: whether no ad can have slipped past its pages unseen.
    """
    is_end = stop is StopReason.END
    problems = []
    if stop is StopReason.PAGE_LIMIT:
        pages = f"{counted(max_pages, 'page')} {'holds' if max_pages == 1 else 'hold'}"
        problems.append(f"more ads than max_pages = {pages}; raise it")
    if stop is StopReason.BUDGET:
        problems.append("the month's budget ran out on the way; raise it")
    if stop is StopReason.GAP:
        problems.append("SerpApi broke off before the end of its list")
    if is_end and _FEWEST * fetch.listed < known.running:
        listed = f"only {counted(fetch.listed, 'ad')}" if fetch.listed else "no ads at all"
        problems.append(f"SerpApi lists {listed}, though {known.running} were running")
    if is_end and not fetch.listed and not known.seen:
        problems.append("SerpApi lists no ads, and never has; check the search if it should")
    is_reached = not problems and (is_end or stop is StopReason.WATERMARK)
    if fetch.rejected_count:
        problems.append(
            f"{counted(fetch.rejected_count, 'ad')} could not be read (table rejected_row)"
        )
    return CoverageResult(
        coverage=Coverage.PARTIAL if problems else Coverage.COMPLETE,
        is_reached=is_reached,
        is_whole=is_end and is_steady and not problems,
        problem="; ".join(problems) or None,
    )


async def linked_ads(session: AsyncSession, *, watch: Watch) -> list[str]:
    """The ids of the ads that are linked to a watch."""
    return list(await session.scalars(_LINKED, {"watch_id": watch.id}))


async def link_page(
    session: AsyncSession, *, watch: Watch, fetch: Fetch, page: SearchPage
) -> EventCounts:
    """Link a page's creatives to the watch and write their events; does not commit.

    Args:
        session: of the page's transaction.
        watch: as it was when its check began.
        fetch: whose page it is.
        page: whose creatives are stored.

    Raises:
        BusyError, UnknownWatchError: as `check_unchanged`.
    """
    if not page.rows:
        return EventCounts()
    rows = _ROWS.dump_json(page.rows, include=_SEEN).decode()
    linked = (await session.execute(_LINK, _values(watch, fetch) | {"rows": rows})).one()
    if not linked.is_same:
        raise await _describe_change(session, watch)
    return EventCounts.model_validate(linked.events or {})


async def close_check(
    session: AsyncSession, *, watch: Watch, fetch: Fetch, result: CoverageResult
) -> EventCounts:
    """Write the events of ended ads and the watch's coverage; does not commit.

    Args:
        session: of the last page's transaction.
        watch: as it was when its check began.
        fetch: that has ended.
        result: what it has covered.

    Raises:
        BusyError, UnknownWatchError: as `check_unchanged`.
    """
    may_have_ended = result.is_reached and watch.baseline_at is not None
    values = _values(watch, fetch) | result.model_dump() | {"may_have_ended": may_have_ended}
    closed = (await session.execute(_CLOSE, values)).one()
    if not closed.is_same:
        raise await _describe_change(session, watch)
    return EventCounts(ended=closed.ended)


async def check_unchanged(session: AsyncSession, *, watch: Watch) -> None:
    """Check that a watch is as it was when its check began.

    Raises:
        BusyError: it was changed meanwhile.
        UnknownWatchError: it was deleted meanwhile.
    """
    values = {"watch_id": watch.id, "updated_at": watch.updated_at}
    if not await session.scalar(_IS_UNCHANGED, values):
        raise await _describe_change(session, watch)


def watermark(covered_at: datetime | None) -> datetime | None:
    """How far back a fetch has to go, after one that covered the search from then on."""
    return covered_at - LAG if covered_at else None


def _values(watch: Watch, fetch: Fetch) -> dict[str, object]:
    return {
        "watch_id": watch.id,
        "updated_at": watch.updated_at,
        "started_at": fetch.started_at,
        "fetch_id": fetch.id,
    }


async def _describe_change(session: AsyncSession, watch: Watch) -> BusyError | UnknownWatchError:
    """The error for a watch that is not as it was when its check began."""
    what = f"Watch {watch.id} ({watch.name}) was"
    if await session.scalar(_IS_THERE, {"watch_id": watch.id}):
        return BusyError(f"{what} changed while it was processed; it is due again.")
    return UnknownWatchError(f"{what} deleted while it was processed.")
