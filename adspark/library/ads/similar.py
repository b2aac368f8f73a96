"""Ads that look like a stored one, by their pictures' perceptual hashes, or share its words.

Looked at are all ads with the very picture, the advertiser's latest ads, the pictures of others
that were archived last, and ads with the same headline.
"""

from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.search.matching import quote_lexeme
from adspark.models import CreativeFormat
from adspark.validation.bounds import Range
from adspark.validation.stored import check_storable, missing_ads
from adspark.words.copy_statements import HEADLINE, join_copy

LIMIT = Range(1, 200)

HASH_BITS = 256
MOST_BITS = 32
"""By which two pictures may differ that count as near-duplicates; chance differs by 128."""

_LEAST_WORDS = 0.6  # share of the words of both that both have
_LEAST_SHARED = 3  # words; fewer say nothing
MOST_OWN = 1_000
"""Ads of the advertiser that are looked at, the ones last shown."""

MOST_OTHERS = 20_000
"""Pictures of others that are looked at, the ones archived last."""

_MOST_FOUND = 1_000  # of each kind, before they are ranked

_SUBJECT = text("""
    SELECT c.advertiser_id, v.sha256, v.perceptual_hash AS hash,
        ARRAY(SELECT lexeme FROM unnest(ts_filter(s.document, '{a,b}'))) AS words,
        ARRAY(SELECT lexeme FROM unnest(ts_filter(s.document, '{a}'))) AS headline
    FROM creative c
        LEFT JOIN picture_version v USING (ad_creative_id, content_hash)
        LEFT JOIN search_document s USING (ad_creative_id)
    WHERE c.ad_creative_id = :ad
""")
_DIFFERING = f"""
    bit_count(CAST('x' || perceptual_hash AS bit({HASH_BITS}))
        # CAST('x' || CAST(:hash AS text) AS bit({HASH_BITS})))
"""
_FIND = text(f"""
    WITH candidate AS (
        (SELECT ad_creative_id FROM picture_version
         WHERE status = 'stored' AND sha256 = :sha256 LIMIT {_MOST_FOUND})
        UNION
        (SELECT ad_creative_id FROM creative WHERE advertiser_id = :advertiser_id
         ORDER BY last_shown DESC NULLS LAST LIMIT {MOST_OWN})
        UNION
        (SELECT ad_creative_id FROM (
            SELECT ad_creative_id, perceptual_hash FROM picture_version WHERE status = 'stored'
            ORDER BY stored_at DESC, id DESC LIMIT {MOST_OTHERS}
         ) AS latest WHERE {_DIFFERING} <= {MOST_BITS} LIMIT {_MOST_FOUND})
        UNION
        (SELECT ad_creative_id FROM search_document
         WHERE document @@ CAST(:headline AS tsquery) LIMIT {_MOST_FOUND})
    ), measured AS (
        SELECT c.ad_creative_id, p.bits, w.shared, w.share
        FROM candidate JOIN creative c USING (ad_creative_id)
            LEFT JOIN LATERAL (
                SELECT {_DIFFERING} AS bits FROM picture_version v
                WHERE v.ad_creative_id = c.ad_creative_id AND v.content_hash = c.content_hash
            ) AS p ON true
            LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE lexeme = ANY (CAST(:words AS text[]))) AS shared,
                    count(*) FILTER (WHERE lexeme = ANY (CAST(:words AS text[])))::float8
                        / nullif(cardinality(CAST(:words AS text[])) + count(*) FILTER (
                            WHERE lexeme <> ALL (CAST(:words AS text[]))), 0) AS share
                FROM search_document s, unnest(ts_filter(s.document, '{{a,b}}'))
                WHERE s.ad_creative_id = c.ad_creative_id AND s.has_words
            ) AS w ON true
        WHERE c.ad_creative_id <> :ad
    ), nearest AS (
        SELECT m.ad_creative_id, m.bits,
            CASE WHEN m.shared >= {_LEAST_SHARED} THEN m.share END AS words,
            greatest(1 - m.bits * 2 / {HASH_BITS}.0,
                CASE WHEN m.shared >= {_LEAST_SHARED} THEN m.share END) AS nearness, c.last_shown
        FROM measured m JOIN creative c USING (ad_creative_id)
        WHERE m.bits <= {MOST_BITS} OR m.shared >= {_LEAST_SHARED} AND m.share >= {_LEAST_WORDS}
        ORDER BY nearness DESC, c.last_shown DESC NULLS LAST, m.ad_creative_id LIMIT :limit
    )
    SELECT c.ad_creative_id, a.advertiser_id, a.name AS advertiser, c.format, c.last_shown,
        c.total_days_shown AS days_shown, {HEADLINE} AS headline, p.thumbnail_path AS thumbnail,
        n.bits, n.words
    FROM nearest n JOIN creative c USING (ad_creative_id) JOIN advertiser a USING (advertiser_id)
        LEFT JOIN picture_version p ON p.ad_creative_id = c.ad_creative_id
            AND p.content_hash = c.content_hash
        {join_copy()}
    ORDER BY n.nearness DESC, c.last_shown DESC NULLS LAST, c.ad_creative_id
""")  # noqa: S608  (put together from constants)


class SimilarAd(BaseModel):
    """An ad that is like another one."""

    ad_creative_id: str
    advertiser_id: str
    advertiser: str
    format: CreativeFormat
    last_shown: datetime | None
    days_shown: int | None
    headline: str | None
    thumbnail: str | None = Field(description="WebP, in the media store.")
    bits: int | None = Field(description=f"Of {HASH_BITS} by which the pictures differ.")
    words: float | None = Field(description="Share of the words of both that both have.")

    @property
    def why(self) -> str:
        """What the two have in common, for a person."""
        parts = []
        if self.bits is not None and self.bits <= MOST_BITS:
            differ = f"{self.bits} of {HASH_BITS} bits differ" if self.bits else "looks the same"
            parts.append(f"picture: {differ}")
        if self.words is not None and self.words >= _LEAST_WORDS:
            parts.append(f"words: {self.words:.0%} shared")
        return "; ".join(parts)


class SimilarAds(BaseModel):
    """Ads that are like one, the most alike first; `notes` say what could not be compared."""

    ads: list[SimilarAd]
    notes: list[str] = Field(default_factory=list)


async def find_similar(session: AsyncSession, *, ad_creative_id: str, limit: int) -> SimilarAds:
    """The stored ads that look like one, or have most of its words.

    Args:
        ad_creative_id: CR and 20 digits.
        limit: at most so many.

    Raises:
        InvalidQueryError: no such ad is stored, or the limit cannot be used.
    """
    LIMIT.check("limit", limit)
    check_storable("ad", ad_creative_id)
    row = (await session.execute(_SUBJECT, {"ad": ad_creative_id})).mappings().one_or_none()
    if row is None:
        raise missing_ads("ad", [ad_creative_id])
    notes = []
    if row["hash"] is None:
        notes.append(
            "Its picture is not archived yet, so pictures are not compared; the archive fetches "
            "pictures every ten minutes."
        )
    if not row["words"]:
        notes.append("Its copy is not known, so words are not compared.")
    values = {
        **row,
        "ad": ad_creative_id,
        "limit": limit,
        "headline": " & ".join(quote_lexeme(one) for one in row["headline"]) or None,
    }
    ads = (await session.execute(_FIND, values)).mappings()
    return SimilarAds(ads=[SimilarAd.model_validate(one) for one in ads], notes=notes)
