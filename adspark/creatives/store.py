"""Every statement on creatives and their advertisers; set-based, one statement a page."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import CreativeFormat
from adspark.serpapi.payloads import CreativePayload
from adspark.serpapi.search_query import CreativeQuery

# Column of `creative`, its type in SQL, and the payload's field that fills it.
_COLUMNS = (
    ("ad_creative_id", "text", "ad_creative_id"),
    ("advertiser_id", "text", "advertiser_id"),
    ("format", "text", "format"),
    ("image_url", "text", "image"),
    ("video_link", "text", "link"),
    ("width", "int", "width"),
    ("height", "int", "height"),
    ("target_domain", "text", "target_domain"),
    ("first_shown", "timestamptz", "first_shown"),
    ("last_shown", "timestamptz", "last_shown"),
    ("total_days_shown", "int", "total_days_shown"),
    ("details_link", "text", "details_link"),
    ("views_min", "bigint", "minimum_views_count"),
    ("views_max", "bigint", "maximum_views_count"),
    ("budget_min", "text", "minimum_budget_spent"),
    ("budget_max", "text", "maximum_budget_spent"),
    ("dropped_fields", "text[]", "dropped_fields"),
)

_FILLED = {"dropped_fields": "coalesce(dropped_fields, '{}')"}
_HAS_MEDIA = "coalesce(excluded.image_url, excluded.video_link) IS NOT NULL"
# One that could not be read this time is as it was, and so is one that is left out beside the other
# one as it was.
_MEDIUM = (
    "CASE WHEN excluded.{0} IS NULL AND (EXISTS (SELECT FROM unnest(excluded.dropped_fields) "
    "AS f (note) WHERE f.note LIKE '{1}:%') OR coalesce((excluded.format, excluded.{2}) = "
    "(c.format, c.{2}), false)) THEN c.{0} WHEN {3} THEN excluded.{0} ELSE c.{0} END"
)
_IS_REPLACED = (
    "k.{0} IS NOT NULL AND k.{0} IS DISTINCT FROM written.{0}"  # one that was not known is learned
)
_SAME_MEDIA = (
    "(excluded.image_url, excluded.video_link) IS NOT DISTINCT FROM (c.image_url, c.video_link)"
)
_UNION = (
    "CASE WHEN c.{0} @> excluded.{0} THEN c.{0} "
    "ELSE ARRAY(SELECT DISTINCT unnest(c.{0} || excluded.{0}) ORDER BY 1) END"
)

# Dates only widen, but for one that lies in the future, which no search can have known: what was
# stored of that kind is replaced by the next answer. `payload_fields.AHEAD` is the same day.
_POSSIBLE = "CASE WHEN {} <= now() + interval '1 day' THEN {} END"


def _widest(pick: str, column: str, *, of: str) -> str:
    return f"{pick}(excluded.{column}, {_POSSIBLE.format(*[f'{of}.{column}'] * 2)})"


# How a known row is merged with a search's, which leaves out what it does not know (target_domain
# by advertiser, sizes now and then) and sees only its own region's dates: no value is removed.
_MERGED = {
    "advertiser_id": "excluded.advertiser_id",
    "format": "excluded.format",
    "image_url": _MEDIUM.format("image_url", "image", "video_link", _HAS_MEDIA),
    "video_link": _MEDIUM.format("video_link", "link", "image_url", _HAS_MEDIA),
    "width": f"CASE WHEN {_HAS_MEDIA} AND NOT {_SAME_MEDIA} THEN excluded.width "
    "ELSE coalesce(excluded.width, c.width) END",
    "height": f"CASE WHEN {_HAS_MEDIA} AND NOT {_SAME_MEDIA} THEN excluded.height "
    "ELSE coalesce(excluded.height, c.height) END",
    "target_domain": "coalesce(excluded.target_domain, c.target_domain)",
    "first_shown": _widest("least", "first_shown", of="c"),
    "last_shown": _widest("greatest", "last_shown", of="c"),
    "total_days_shown": "greatest(excluded.total_days_shown, c.total_days_shown)",
    "details_link": "coalesce(c.details_link, excluded.details_link)",
    "views_min": "coalesce(excluded.views_min, c.views_min)",
    "views_max": "coalesce(excluded.views_max, c.views_max)",
    "budget_min": "coalesce(excluded.budget_min, c.budget_min)",
    "budget_max": "coalesce(excluded.budget_max, c.budget_max)",
    "dropped_fields": "excluded.dropped_fields",
    "regions": _UNION.format("regions"),
    "platforms": _UNION.format("platforms"),
}


# An ad of an older day does not bring back an advertiser's old name: the name is that of the ad
# that was shown last, of those that name it.
_IS_NEWER_NAME = f"""
    excluded.name <> '' AND (a.name = '' OR coalesce(
        excluded.named_at >= {_POSSIBLE.format("a.named_at", "a.named_at")},
        a.named_at IS NULL OR excluded.named_at IS NOT NULL
    ))
"""
_MERGED_ADVERTISER = {
    "name": f"CASE WHEN {_IS_NEWER_NAME} THEN excluded.name ELSE a.name END",
    "named_at": f"CASE WHEN {_IS_NEWER_NAME} THEN excluded.named_at ELSE a.named_at END",
    "first_seen_at": _widest("least", "first_seen_at", of="a"),
    "last_seen_at": _widest("greatest", "last_seen_at", of="a"),
}


def _save_statement() -> str:
    """One statement: merge the page's creatives, then its advertisers, and say what was what.

    The advertisers' domains are noted beside them, for the search, and the versions of pictures
    that nobody has seen yet, for the archive.

    Rows are written in the order of their keys, so that two pages at once cannot deadlock. A row
    that would stay as it is is not even locked, for that writes: it is left out before the INSERT,
    where the page goes by the name that it has in the UPDATE. That, and what changed, is judged by
    the table as it was before, a row at a time: a join would be planned, once and for long, for the
    table's size then. What was cleaned up and is listed again is not new where a watch knows it.
    """
    names = [name for name, _, _ in _COLUMNS]
    listed = ", ".join(names)
    named = ", ".join(f"{_FILLED.get(name, field)} AS {name}" for name, _, field in _COLUMNS)
    typed = ", ".join(f"{field} {kind}" for _, kind, field in _COLUMNS)
    assigned = ", ".join(f"{name} = {value}" for name, value in _MERGED.items())
    current = ", ".join(f"c.{name}" for name in _MERGED)
    merged = ", ".join(_MERGED.values())
    named_again = ", ".join(f"{name} = {value}" for name, value in _MERGED_ADVERTISER.items())
    as_named = ", ".join(f"a.{name}" for name in _MERGED_ADVERTISER)
    to_be_named = ", ".join(_MERGED_ADVERTISER.values())
    seen = ("format", "image_url", "video_link")
    replaced = " OR ".join(_IS_REPLACED.format(name) for name in seen)
    return f"""
        WITH page AS (
            SELECT {named}, advertiser, CAST(:regions AS text[]) AS regions,
                CAST(:platforms AS text[]) AS platforms
            FROM json_to_recordset(CAST(:rows AS json)) AS t ({typed}, advertiser text)
        ), written AS (
            INSERT INTO creative AS c ({listed}, regions, platforms)
            SELECT {listed}, regions, platforms FROM page AS excluded
            WHERE (
                SELECT ({current}) IS NOT DISTINCT FROM ({merged})
                FROM creative AS c WHERE c.ad_creative_id = excluded.ad_creative_id
            ) IS NOT TRUE
            ORDER BY ad_creative_id
            ON CONFLICT (ad_creative_id) DO UPDATE SET {assigned}, updated_at = now()
            WHERE ({current}) IS DISTINCT FROM ({merged})
            RETURNING c.ad_creative_id, c.format, c.image_url, c.video_link, c.content_hash,
                c.xmax = 0 AS inserted
        ), judged AS MATERIALIZED (
            SELECT *, (
                SELECT CASE WHEN {replaced} THEN 'replaced'
                    WHEN k.content_hash <> written.content_hash THEN 'learned' END
                FROM creative k WHERE k.ad_creative_id = written.ad_creative_id
            ) AS change
            FROM written
        ), versions AS (
            INSERT INTO new_version (ad_creative_id, content_hash, source_url, is_preview)
            SELECT ad_creative_id, content_hash, coalesce(image_url, video_link), image_url IS NULL
            FROM judged
            WHERE (inserted OR change IS NOT NULL)
                AND coalesce(image_url, video_link) IS NOT NULL
        ), advertisers AS (
            INSERT INTO advertiser AS a
                (advertiser_id, name, named_at, first_seen_at, last_seen_at)
            SELECT advertiser_id,
                coalesce((array_agg(advertiser ORDER BY last_shown DESC NULLS LAST, ad_creative_id)
                    FILTER (WHERE advertiser <> ''))[1], ''),
                max(last_shown) FILTER (WHERE advertiser <> ''),
                min(first_shown), max(last_shown)
            FROM page GROUP BY advertiser_id ORDER BY advertiser_id
            ON CONFLICT (advertiser_id) DO UPDATE SET {named_again}, updated_at = now()
            WHERE ({as_named}) IS DISTINCT FROM ({to_be_named})
        ), domains AS (
            INSERT INTO advertiser_domain (domain, advertiser_id)
            SELECT target_domain, advertiser_id FROM (
                SELECT DISTINCT target_domain, advertiser_id FROM page
                WHERE target_domain IS NOT NULL
            ) AS p WHERE (
                SELECT true FROM advertiser_domain d
                WHERE (d.domain, d.advertiser_id) = (p.target_domain, p.advertiser_id)
            ) IS NOT TRUE
            ORDER BY 1, 2 ON CONFLICT DO NOTHING
        )
        SELECT ad_creative_id, inserted FROM judged
        WHERE CASE WHEN inserted THEN NOT EXISTS (
            SELECT FROM watch_creative l WHERE l.ad_creative_id = judged.ad_creative_id
        ) ELSE change = 'replaced' END
    """  # noqa: S608  (the names come from the tables above, no value does)


_SAVE = text(_save_statement())
_STORED_OF = text("""
    SELECT count(*) FROM creative
    WHERE (advertiser_id = ANY (CAST(:advertiser_ids AS text[])) OR target_domain = :text)
        AND (CAST(:creative_format AS text) IS NULL OR format = :creative_format)
        AND (CAST(:region AS text) IS NULL OR regions @> ARRAY[CAST(:region AS text)])
        AND (CAST(:platform AS text) IS NULL OR platforms @> ARRAY[CAST(:platform AS text)])
        AND (CAST(:start_date AS date) IS NULL OR last_shown >= CAST(:start_date AS date))
        AND (CAST(:end_date AS date) IS NULL OR first_shown < CAST(:end_date AS date) + 1)
""")
# A page goes over as one document: psycopg writes arrays in Python, which takes six times as long.
_ROWS = TypeAdapter(list[CreativePayload])


class SavedCreatives(BaseModel):
    """What became of the rows of a page: ids of the new and the changed, and how many stayed."""

    new: list[str]
    changed: list[str]
    unchanged: int


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


class NewCreative(BaseModel):
    """A creative as it is shown to a person."""

    ad_creative_id: str
    advertiser: str
    format: str
    size: str | None
    target_domain: str | None
    first_shown: datetime | None
    last_shown: datetime | None
    days_shown: int | None
    link: str | None

    def cells(self) -> dict[str, str | int | None]:
        """The creative as a row of a table: heading to cell."""
        return {
            "advertiser": self.advertiser,
            "format": self.format,
            "size": self.size,
            "domain": self.target_domain,
            "first shown": _day(self.first_shown),
            "last shown": _day(self.last_shown),
            "days shown": self.days_shown,
            "ad": self.ad_creative_id,
        }


async def save_creatives(
    session: AsyncSession,
    *,
    rows: Sequence[CreativePayload],
    region: str | None = None,
    platform: str | None = None,
) -> SavedCreatives:
    """Merge a page of creatives (each id once) and their advertisers; does not commit.

    Args:
        rows: at most a page, so that one statement's locks stay short.
        region: SerpApi code of the search that found them.
        platform: platform of that search.
    """
    if not rows:
        return SavedCreatives(new=[], changed=[], unchanged=0)
    values = {
        "rows": _ROWS.dump_json(list(rows), exclude_none=True).decode(),
        "regions": [region] if region else [],
        "platforms": [platform] if platform else [],
    }
    saved = (await session.execute(_SAVE, values)).all()
    new = [row.ad_creative_id for row in saved if row.inserted]
    changed = [row.ad_creative_id for row in saved if not row.inserted]
    return SavedCreatives(new=new, changed=changed, unchanged=len(rows) - len(saved))


def describe_creatives(
    rows: Iterable[CreativePayload], *, only: Iterable[str], most: int
) -> list[NewCreative]:
    """The first `most` of `rows` whose ids are in `only`, as they are shown to a person.

    Args:
        rows: of a page.
        only: ids of creatives.
        most: how many at most.
    """
    wanted = set(only)
    chosen = [row for row in rows if row.ad_creative_id in wanted][:most]
    return [
        NewCreative(
            ad_creative_id=row.ad_creative_id,
            advertiser=row.advertiser,
            format=row.format,
            size=f"{row.width} × {row.height}" if row.width and row.height else None,
            target_domain=row.target_domain,
            first_shown=row.first_shown,
            last_shown=row.last_shown,
            days_shown=row.total_days_shown,
            link=row.details_link,
        )
        for row in chosen
    ]


async def count_stored(session: AsyncSession, query: CreativeQuery) -> int:
    """How many stored ads a search should list; none of a political one, for it is not known."""
    if query.political_ads:
        return 0
    return int(await session.scalar(_STORED_OF, query.model_dump(mode="json")) or 0)


class CreativeCount(BaseModel):
    """How many creatives of one format an advertiser has in the database."""

    advertiser_id: str
    advertiser: str
    format: CreativeFormat
    creatives: int


async def count_creatives(session: AsyncSession) -> list[CreativeCount]:
    """What is stored, by advertiser and format, the most first."""
    rows = await session.execute(
        text(
            "SELECT advertiser_id, a.name AS advertiser, c.format, count(*) AS creatives "
            "FROM creative c JOIN advertiser a USING (advertiser_id) "
            "GROUP BY 1, 2, 3 ORDER BY creatives DESC, advertiser, format"
        )
    )
    return [CreativeCount.model_validate(row) for row in rows.mappings()]
