"""The statements of the digest: what it reports of the watches, and that it was reported.

Each kind of data is one statement for all watches. Watches are read before their events, so that
no watch counts as checked later than its events are known.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import EventKind
from adspark.notifications.digest_text import (
    MOST_NAMED,
    MOST_WATCHES,
    Digest,
    ReportedCreative,
    WatchDigest,
    describe_news,
)
from adspark.serpapi.payloads import LAG
from adspark.text.counts import counted
from adspark.words.copy_statements import HEADLINE, SNIPPET, SOURCE, join_copy

# Digests are read and marked one after the other: the second sees what the first reported.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('send-digest', 0))")
# An active watch is overdue when a whole interval and an hour have passed since it was due. A
# failed check is reported once, and again half a day later at the earliest.
_WATCHES = text("""
    SELECT w.id AS watch_id, name, is_active, interval_minutes, checked_at, complete_at, is_overdue,
        CASE WHEN monthly_budget = 0 THEN 'none' ELSE coverage END AS coverage,
        CASE WHEN monthly_budget = 0 THEN 'its budget is 0' ELSE problem END AS problem,
        digested_at IS NULL OR digested_at <= CAST(:now AS timestamptz) - interval '12 hours'
            OR coalesce(checked_at > digested_at, false)
            OR is_overdue AND late_at > digested_at AS is_unreported
    FROM watch w
    CROSS JOIN LATERAL (SELECT due_at + make_interval(mins => interval_minutes + 60)) l (late_at)
    CROSS JOIN LATERAL (SELECT is_active AND late_at < CAST(:now AS timestamptz)) o (is_overdue)
    WHERE is_active OR EXISTS (
        SELECT FROM creative_event e
        WHERE e.watch_id = w.id AND e.notified_at IS NULL AND e.kind <> 'baseline'
    )
    ORDER BY name, w.id
""")
_CREATIVE = f"""
    json_build_object(
        'ad_creative_id', c.ad_creative_id, 'advertiser', a.name, 'format', c.format,
        'size', c.width || ' × ' || c.height, 'target_domain', c.target_domain,
        'first_shown', c.first_shown, 'last_shown', c.last_shown,
        'days_shown', c.total_days_shown, 'link', c.details_link,
        'content', (
            SELECT json_build_object(
                'thumbnail', v.thumbnail_path, 'headline', {HEADLINE},
                'words', left({SNIPPET}, 1000), 'is_read', coalesce({SOURCE} = 'read', false),
                'landing_url', d.landing_url
            )
            FROM (VALUES (c.ad_creative_id, c.content_hash)) AS h (ad_creative_id, content_hash)
            LEFT JOIN picture_version v USING (ad_creative_id, content_hash)
            {join_copy("h.ad_creative_id")}
        )
    )
"""  # noqa: S608  (put together from constants)
# One that was cleaned up before its event was reported, as far as the watch keeps it.
_KEPT = """
    json_build_object(
        'ad_creative_id', e.ad_creative_id, 'last_shown', l.last_shown, 'format', '',
        'advertiser', coalesce(a.name, l.advertiser_id, ''), 'size', NULL, 'target_domain', NULL,
        'first_shown', NULL, 'days_shown', NULL, 'link',
        'https://adstransparency.google.com/advertiser/' || l.advertiser_id
            || '/creative/' || e.ad_creative_id
    )
"""
_EVENTS = text(f"""
    WITH waiting AS (
        SELECT id, watch_id, kind, ad_creative_id,
            row_number() OVER (PARTITION BY watch_id, kind ORDER BY id) AS place
        FROM creative_event
        WHERE notified_at IS NULL AND kind <> 'baseline' AND watch_id = ANY (:watch_ids)
    ), counted AS (
        SELECT watch_id, kind, count(*) AS number, array_agg(id) AS event_ids
        FROM waiting GROUP BY watch_id, kind
    ), named AS (
        SELECT e.watch_id, kind, json_agg(
            CASE WHEN c.ad_creative_id IS NULL THEN {_KEPT} ELSE {_CREATIVE} END
            ORDER BY place
        ) AS creatives
        FROM waiting e
        LEFT JOIN creative c USING (ad_creative_id)
        LEFT JOIN watch_creative l
            ON l.watch_id = e.watch_id AND l.ad_creative_id = e.ad_creative_id
        LEFT JOIN advertiser a ON a.advertiser_id = coalesce(c.advertiser_id, l.advertiser_id)
        WHERE place <= {MOST_NAMED}
        GROUP BY e.watch_id, kind
    )
    SELECT * FROM counted JOIN named USING (watch_id, kind)
""")  # noqa: S608  (put together from constants)
# Rows that no digest has seen. They are marked one by one and not by a moment: one may be committed
# after a digest has read, by a transaction that began before.
_UNSEEN_REGIONS = text(
    "SELECT ad_creative_id, region FROM creative_region WHERE digested_at IS NULL"
)
# A country is new where no creative of the watch had it before, and others had some. Details may be
# bought long after an ad was found, and the Transparency Center lists an ad late (LAG):
# so a country in which a known ad was shown before then was only not known to be one.
_REGIONS = text(f"""
    WITH begun AS (
        SELECT l.watch_id, r.region,
            bool_or(coalesce(
                CASE WHEN w.digested_at IS NULL THEN r.first_seen_at ELSE r.digested_at END <= m.at
                OR l.first_matched_at <= m.at
                AND r.first_shown < (m.at - make_interval(days => {LAG.days}))::date, false)
            ) AS is_known
        FROM watch w
        CROSS JOIN LATERAL (SELECT coalesce(w.digested_at, baseline_at)) AS m (at)
        JOIN watch_creative l ON l.watch_id = w.id
        JOIN creative_region r USING (ad_creative_id)
        LEFT JOIN unnest(CAST(:ads AS text[]), CAST(:regions AS text[])) AS s (ad, region)
            ON (s.ad, s.region) = (r.ad_creative_id, r.region)
        WHERE w.id = ANY (:watch_ids) AND (r.digested_at IS NOT NULL OR s.ad IS NOT NULL)
        GROUP BY l.watch_id, r.region
    )
    SELECT watch_id, array_agg(region ORDER BY region) FILTER (WHERE NOT is_known) AS regions
    FROM begun GROUP BY watch_id
    HAVING bool_or(is_known) AND NOT bool_and(is_known)
""")  # noqa: S608  (put together from a constant)
_LONGEST = text(f"""
    SELECT watch_id,
        json_agg({_CREATIVE} ORDER BY total_days_shown DESC, ad_creative_id) AS longest
    FROM unnest(CAST(:watch_ids AS int[])) AS w (watch_id)
    CROSS JOIN LATERAL (
        SELECT creative.*
        FROM watch_creative l
        JOIN creative USING (ad_creative_id)
        WHERE l.watch_id = w.watch_id AND l.ended_at IS NULL AND total_days_shown IS NOT NULL
        ORDER BY total_days_shown DESC, ad_creative_id LIMIT 5
    ) c
    JOIN advertiser a USING (advertiser_id)
    GROUP BY watch_id
""")  # noqa: S608  (put together from constants)

# Watches before events, as a deletion of a watch has it, and in one order: no deadlock.
_MARK_WATCHES = text("""
    WITH held AS (
        SELECT id FROM watch WHERE id = ANY (:watch_ids) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE watch SET digested_at = greatest(digested_at, CAST(:at AS timestamptz))
    FROM held WHERE watch.id = held.id
""")
_MARK_EVENTS = text("""
    UPDATE creative_event SET notified_at = CAST(:at AS timestamptz)
    WHERE id = ANY (:event_ids) AND notified_at IS NULL
""")
# In the order in which details are stored: no deadlock.
_MARK_REGIONS = text("""
    WITH held AS (
        SELECT ad_creative_id, region
        FROM unnest(CAST(:ads AS text[]), CAST(:regions AS text[])) AS s (ad_creative_id, region)
        JOIN creative_region USING (ad_creative_id, region)
        WHERE digested_at IS NULL
        ORDER BY ad_creative_id, region FOR NO KEY UPDATE OF creative_region
    )
    UPDATE creative_region r SET digested_at = CAST(:at AS timestamptz)
    FROM held WHERE (r.ad_creative_id, r.region) = (held.ad_creative_id, held.region)
""")
_CREATIVES = TypeAdapter(list[ReportedCreative])


class DigestSummary(BaseModel):
    """The result of `send-digest`."""

    watches: int = Field(description="Watches that it reports.")
    with_news: int = Field(0, description="Of these, the watches that have news.")
    news: int = Field(description="Events and new countries that it reports.")
    events: dict[EventKind, int] = Field(
        default_factory=dict, description="Of these, the events by kind."
    )
    new_regions: int = Field(0, description="Of these, the new countries.")
    unseen: int = Field(description="Watches that were not checked completely.")
    delivered: int = Field(description="Messages that were delivered, older ones included.")
    stuck: int = Field(description="Messages that are not sent any more; see the artifact.")

    @property
    def headline(self) -> str:
        """The summary in one line."""
        why = " (not sent any more; the artifact says why)" if self.stuck else ""
        watches = counted(self.watches, "watch")
        if self.with_news and self.with_news < self.watches:
            watches = f"{self.with_news} of {watches}"
        return (
            f"{describe_news(self.events, self.new_regions)} in {watches}, "
            f"{self.unseen} not fully looked at; "
            f"{counted(self.delivered, 'message')} delivered, {self.stuck} stuck{why}"
        )


async def read_digest(session: AsyncSession, *, now: datetime) -> Digest:
    """What no digest has reported yet; other digests wait until this transaction ends.

    `now` is by the database's clock.
    """
    await session.execute(_LOCK)
    found = await session.execute(_WATCHES, {"now": now})
    watches = {row["watch_id"]: dict(row) for row in found.mappings()}
    unseen = [(row.ad_creative_id, row.region) for row in await session.execute(_UNSEEN_REGIONS)]
    digest = Digest(at=now, watches=[], event_ids=[], seen_regions=unseen)
    values: dict[str, object] = {"watch_ids": list(watches), **_columns(unseen)}
    for row in await session.execute(_EVENTS, {"watch_ids": list(watches)}):
        events = watches[row.watch_id].setdefault("events", {})
        events[row.kind] = {"number": row.number, "creatives": row.creatives}
        digest.event_ids += row.event_ids
    for row in await session.execute(_REGIONS, values):
        watches[row.watch_id]["new_regions"] = row.regions
    digest.watches = [WatchDigest.model_validate(watch) for watch in watches.values()]
    await _read_longest(session, watches=digest.with_news[:MOST_WATCHES])
    return digest


async def mark_digested(session: AsyncSession, *, digest: Digest) -> None:
    """Note that exactly this was reported; does not commit."""
    watch_ids = [watch.watch_id for watch in digest.watches]
    await session.execute(_MARK_WATCHES, {"watch_ids": watch_ids, "at": digest.at})
    await session.execute(_MARK_EVENTS, {"event_ids": digest.event_ids, "at": digest.at})
    await session.execute(_MARK_REGIONS, {**_columns(digest.seen_regions), "at": digest.at})


def _columns(regions: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Ads and countries as the arrays that a statement takes."""
    return {"ads": [ad for ad, _ in regions], "regions": [region for _, region in regions]}


async def _read_longest(session: AsyncSession, *, watches: Sequence[WatchDigest]) -> None:
    values = {"watch_ids": [watch.watch_id for watch in watches]}
    found = await session.execute(_LONGEST, values)
    longest = {row.watch_id: _CREATIVES.validate_python(row.longest) for row in found}
    for watch in watches:
        watch.longest = longest.get(watch.watch_id, [])
