"""Advertisers and their ads, with what was bought of them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Computed, Date, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from adspark.models import columns


class CreativeFormat(StrEnum):
    """Formats of the Transparency Center."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"


class Platform(StrEnum):
    """Google's surfaces; they overlap, so their counts do not sum to the whole."""

    PLAY = "PLAY"
    MAPS = "MAPS"
    SEARCH = "SEARCH"
    SHOPPING = "SHOPPING"
    YOUTUBE = "YOUTUBE"


class Advertiser(SQLModel, table=True):
    """Who pays for ads, with the first and last day that any stored creative was shown."""

    __table_args__ = (
        Index("ix_search_advertiser_name", text("search_words(name)"), postgresql_using="gin"),
    )

    advertiser_id: str = Field(primary_key=True, sa_type=Text, description="AR and 20 digits.")
    name: str = Field(sa_type=Text, index=True)
    named_at: datetime | None = columns.moment("last_shown of the ad that it is named by.")
    first_seen_at: datetime | None = columns.moment()
    last_seen_at: datetime | None = columns.moment()
    created_at: datetime = columns.now()
    updated_at: datetime = columns.now()


class Creative(SQLModel, table=True):
    """One ad of the Transparency Center.

    `content_hash` is made by the database from what a person would call the ad. What moves by
    itself (last_shown, total_days_shown, view counts), what depends on the search that found the
    row (target_domain, regions, platforms, first_shown) and the size, which some answers leave
    out and which follows from the picture, is left out of it.
    """

    __table_args__ = (
        columns.one_of("format", CreativeFormat),
        columns.readable("first_shown"),
        columns.readable("last_shown"),
        Index(None, "advertiser_id", "format"),
        # Whole in the index, so that a list of the newest reads only the ads that it shows.
        Index("ix_creative_newest", "first_shown", "ad_creative_id", postgresql_include=["format"]),
        Index("ix_creative_domain", "target_domain", postgresql_include=["ad_creative_id"]),
        Index("ix_creative_days_running", text("(last_shown - first_shown)")),
        Index("ix_creative_regions", "regions", postgresql_using="gin"),
    )

    ad_creative_id: str = Field(primary_key=True, sa_type=Text, description="CR and 20 digits.")
    advertiser_id: str = Field(foreign_key="advertiser.advertiser_id", sa_type=Text)
    format: CreativeFormat = columns.choice(CreativeFormat, nullable=False)
    image_url: str | None = columns.optional_text()
    video_link: str | None = columns.optional_text("Preview script, without its nonces.")
    width: int | None = Field(default=None, description="Pixels.")
    height: int | None = Field(default=None, description="Pixels.")
    target_domain: str | None = columns.optional_text()
    first_shown: datetime | None = columns.moment()
    last_shown: datetime | None = columns.moment(index=True)
    total_days_shown: int | None = Field(default=None, description="Days on which it was shown.")
    details_link: str | None = columns.optional_text()
    views_min: int | None = Field(default=None, sa_type=BigInteger, description="Political only.")
    views_max: int | None = Field(default=None, sa_type=BigInteger, description="Political only.")
    budget_min: str | None = columns.optional_text('As sent: "400 USD".')
    budget_max: str | None = columns.optional_text('As sent: "400 USD".')
    regions: list[str] = columns.texts()
    platforms: list[str] = columns.texts()
    dropped_fields: list[str] = columns.texts()
    """Fields of the last answer that could not be read, with the reason."""
    content_hash: str = Field(
        sa_column=Column(
            Text,
            Computed(
                "md5(format || '|' || coalesce(image_url, '') || '|' || coalesce(video_link, ''))",
                persisted=True,
            ),
            nullable=False,
        )
    )
    created_at: datetime = columns.now()
    updated_at: datetime = columns.now()


class CreativeDetail(SQLModel, table=True):
    """What the ad-details engine said of a creative; fetched once, for one watch or by hand.

    The row is made before the search is, so that a lost answer is fetched again (free from
    SerpApi's cache) and counted once; it is claimed until the search has to be over. It was paid,
    so it outlives the creative.
    """

    __tablename__ = "creative_detail"
    __table_args__ = (
        # With what is read of each, so that the table is not read for that.
        Index(
            "ix_creative_detail_landing_host", "landing_host", postgresql_include=["ad_creative_id"]
        ),
    )

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    watch_id: int | None = columns.of_watch()
    asked_at: datetime = columns.now(index=True)
    attempts: int = columns.whole_number(1, "Searches that were made for it.")
    claimed_until: datetime | None = columns.moment(
        "Until when what a run asked may not be in SerpApi's cache yet."
    )
    answered_at: datetime | None = columns.moment()
    search_id: str | None = columns.optional_text()
    searches_billed: int = columns.whole_number(0)
    searches_cached: int = columns.whole_number(0)
    headline: str | None = columns.optional_text("Of the first variation.")
    snippet: str | None = columns.optional_text()
    call_to_action: str | None = columns.optional_text()
    landing_url: str | None = columns.optional_text()
    landing_host: str | None = Field(
        sa_column=Column(
            Text,
            Computed(
                "regexp_replace(substring(lower(landing_url) FROM '^https?://([^/?#:]+)'), "
                "'^www[.]', '')",
                persisted=True,
            ),
        ),
        description="Of the landing page, without `www.`.",
    )
    funded_by: str | None = columns.optional_text("Who paid, if known.")
    variations: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")),
        description="Every variation of the creative, as the service sent it.",
    )
    error: str | None = columns.optional_text()


class CreativeRegion(SQLModel, table=True):
    """A country that a creative was shown in, by the ad-details engine; stays with its details."""

    __tablename__ = "creative_region"
    __table_args__ = (
        columns.readable("first_shown"),
        columns.readable("last_shown"),
        Index(
            "ix_creative_region_undigested",
            "ad_creative_id",
            "region",
            postgresql_where=text("digested_at IS NULL"),
        ),
    )

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    region: str = Field(primary_key=True, index=True, sa_type=Text, description="SerpApi code.")
    first_shown: date | None = Field(default=None, sa_column=Column(Date))
    last_shown: date | None = Field(default=None, sa_column=Column(Date))
    times_shown: str | None = columns.optional_text('As sent: "0 - 1000".')
    first_seen_at: datetime = columns.now()
    digested_at: datetime | None = columns.moment(
        "Of the first digest that saw it; None: none has."
    )


class AdvertiserDomain(SQLModel, table=True):
    """A domain that any stored ad of an advertiser has led to; written with the ads."""

    __tablename__ = "advertiser_domain"
    __table_args__ = (
        Index("ix_search_advertiser_domain", text("search_domain(domain)"), postgresql_using="gin"),
    )

    domain: str = Field(primary_key=True, sa_type=Text)
    advertiser_id: str = columns.belongs_to(
        "advertiser.advertiser_id", primary_key=True, index=True
    )
