"""Everything that is stored about one ad."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.details import IS_CLAIMED
from adspark.library.ads.parts import (
    AdDetails,
    AdEvent,
    AdNote,
    AdPicture,
    AdRegion,
    AdVariantLine,
    AdWatch,
)
from adspark.library.marks.sharing import TAGS_OF_AD, TITLE_OF_AD
from adspark.models import CreativeFormat, PictureStatus
from adspark.validation.stored import check_storable, missing_ads
from adspark.variants.reviews.decisions import IS_APPROVED
from adspark.words.ad_words import AdWords, describe_unread, read_ad_words
from adspark.words.copy_statements import HEADLINE, SNIPPET, SOURCE, join_copy

_MOST = 50  # events, pictures and variants, the latest

_AD = text(f"""
    SELECT c.ad_creative_id, c.advertiser_id, a.name AS advertiser, c.format,
        c.image_url, c.video_link, c.width, c.height, c.target_domain AS domain,
        c.first_shown, c.last_shown, c.total_days_shown AS days_shown, c.details_link AS link,
        c.views_min, c.views_max, c.budget_min, c.budget_max, c.regions AS searched_regions,
        c.platforms, c.created_at AS stored_at, {HEADLINE} AS headline, {SNIPPET} AS snippet,
        {SOURCE} AS words_source, {TITLE_OF_AD} AS title, n.note,
        {TAGS_OF_AD} AS tags,
        ARRAY(SELECT b.name FROM board_creative o JOIN board b ON b.id = o.board_id
              WHERE b.user_id = :user_id AND o.ad_creative_id = c.ad_creative_id
              ORDER BY b.name) AS boards
    FROM creative c JOIN advertiser a USING (advertiser_id)
        LEFT JOIN creative_note n ON n.user_id = :user_id AND n.ad_creative_id = c.ad_creative_id
        {join_copy()}
    WHERE c.ad_creative_id = :ad
""")  # noqa: S608  (put together from constants)
_NOTES = text("""
    SELECT n.user_id, u.name AS user, n.note
    FROM creative_note n LEFT JOIN app_user u USING (user_id)
    WHERE n.ad_creative_id = :ad AND n.user_id <> :user_id AND n.is_note_shared ORDER BY n.user_id
""")
_DETAILS = text(f"""
    SELECT answered_at, headline, snippet, call_to_action, landing_url, funded_by, variations,
        searches_billed, searches_cached, error,
        coalesce({IS_CLAIMED}, false) AS is_claimed
    FROM creative_detail d WHERE ad_creative_id = :ad
""")  # noqa: S608  (put together from a constant)
_REGIONS = text("""
    SELECT region, first_shown, last_shown, times_shown FROM creative_region
    WHERE ad_creative_id = :ad ORDER BY last_shown DESC NULLS LAST, region
""")
_EVENTS = text("""
    SELECT e.kind, e.occurred_at, e.watch_id, w.name AS watch, e.content_hash
    FROM creative_event e JOIN watch w ON w.id = e.watch_id
    WHERE e.ad_creative_id = :ad ORDER BY e.occurred_at DESC, e.id DESC LIMIT :most
""")
_WATCHES = text("""
    SELECT w.id, w.name, l.first_matched_at, l.last_matched_at, l.ended_at
    FROM watch_creative l JOIN watch w ON w.id = l.watch_id
    WHERE l.ad_creative_id = :ad ORDER BY w.id
""")
_PICTURES = text("""
    SELECT v.content_hash = c.content_hash AS is_current, v.content_hash, v.status, v.path,
        v.thumbnail_path AS thumbnail, v.width, v.height, v.first_seen_at, v.failure,
        w.status AS reading, coalesce(w.lines, '{}') AS lines, w.language, w.confidence
    FROM picture_version v JOIN creative c USING (ad_creative_id)
        LEFT JOIN picture_words w USING (sha256)
    WHERE v.ad_creative_id = :ad ORDER BY v.first_seen_at DESC, v.id DESC LIMIT :most
""")
_VARIANTS = text(f"""
    SELECT v.id, v.status, v.title, v.description, v.image_path, v.thumbnail_path,
        v.requested_at, {IS_APPROVED} AS is_approved
    FROM ad_variant v WHERE v.original_ad_id = :ad ORDER BY v.id DESC LIMIT :most
""")  # noqa: S608  (put together from a constant)


class AdReport(BaseModel):
    """Everything that is stored about an ad; note and boards are one user's, tags and title too,
    beside shared ones."""

    ad_creative_id: str
    advertiser_id: str
    advertiser: str
    format: CreativeFormat
    image_url: str | None
    video_link: str | None
    width: int | None
    height: int | None
    domain: str | None
    first_shown: datetime | None
    last_shown: datetime | None
    days_shown: int | None
    link: str | None
    views_min: int | None
    views_max: int | None
    budget_min: str | None
    budget_max: str | None
    searched_regions: list[str] = Field(description="SerpApi codes of searches that found it.")
    platforms: list[str]
    stored_at: datetime
    headline: str | None = Field(description="Bought or read, as is `snippet`.")
    snippet: str | None = Field(description="Where its copy was not bought: all that was read.")
    words_source: Literal["bought", "read"] | None = Field(description="Where they are from.")
    title: str | None
    note: str | None
    shared_notes: list[AdNote] = Field(default_factory=list, description="Of other users.")
    tags: list[str]
    boards: list[str]
    details: AdDetails | None = Field(default=None, description="None: never asked for.")
    regions: list[AdRegion] = Field(default_factory=list, description="By its details.")
    events: list[AdEvent] = Field(default_factory=list, description="The latest first.")
    watches: list[AdWatch] = Field(default_factory=list)
    read_words: AdWords | None = Field(default=None, description="Of its picture.")
    variants: list[AdVariantLine] = Field(default_factory=list)
    pictures: list[AdPicture] = Field(default_factory=list, description="The latest first.")

    @property
    def current_picture(self) -> AdPicture | None:
        """That of its present version, once the archive knows of it."""
        return next((one for one in self.pictures if one.is_current), None)

    @property
    def words(self) -> str:
        """Whether its words are known, where from, and why not."""
        if self.words_source == "bought":
            return self._bought
        if self.read_words is not None:
            return f"{self.read_words.describe()} (copy: {self._bought})"
        current = self.current_picture
        match current.status if current else PictureStatus.PENDING:
            case PictureStatus.STORED:
                return f"{describe_unread()} (copy: {self._bought})"
            case PictureStatus.PENDING if self.image_url or self.video_link:
                return f"not read yet, for its picture is not fetched yet (copy: {self._bought})"
        return self._bought

    @property
    def _bought(self) -> str:
        """Whether its copy was bought, and why not."""
        details = self.details
        if details is None or (details.answered_at is None and not details.error):
            return "not bought"
        if details.answered_at is None or details.error:
            return f"asked for, but not known: {details.error}"
        has_words = details.headline or details.snippet or details.call_to_action
        price = "for a search" if details.searches_billed else "without a search of its own"
        if not has_words:
            return f"none: its details were bought {price} and hold no copy"
        return f"bought {price} on {details.answered_at:%Y-%m-%d}"


async def read_ad(session: AsyncSession, *, ad_creative_id: str, user_id: int) -> AdReport:
    """Everything about an ad.

    Args:
        ad_creative_id: CR and 20 digits.
        user_id: whose tags, title, note and boards are shown.

    Raises:
        InvalidQueryError: no such ad is stored.
    """
    check_storable("ad", ad_creative_id)
    values = {"ad": ad_creative_id, "user_id": user_id, "most": _MOST}
    found = (await session.execute(_AD, values)).mappings().one_or_none()
    if found is None:
        raise missing_ads("ad", [ad_creative_id])
    parts: dict[str, list[dict[str, Any]]] = {}
    for name, statement in (
        ("shared_notes", _NOTES),
        ("regions", _REGIONS),
        ("events", _EVENTS),
        ("watches", _WATCHES),
        ("variants", _VARIANTS),
        ("pictures", _PICTURES),
    ):
        rows = (await session.execute(statement, values)).mappings()
        parts[name] = [dict(row) for row in rows]
    details = (await session.execute(_DETAILS, values)).mappings().one_or_none()
    read_words = await read_ad_words(session, ad_creative_id=ad_creative_id)
    return AdReport.model_validate(
        {**found, **parts, "details": details and dict(details), "read_words": read_words}
    )
