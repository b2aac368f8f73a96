"""The columns of an export: one table, the same in every format."""

from dataclasses import dataclass
from enum import Enum

from adspark.library.filters.definition import RUNNING_DAYS
from adspark.library.marks.sharing import TAGS_OF_AD, TITLE_OF_AD


class Kind(Enum):
    """What a column holds; any cell may be empty but for those of the first and the last one."""

    TEXT = "text"
    TEXTS = "several texts"
    NUMBER = "whole number"
    SHARE = "from 0 to 1"
    MOMENT = "time in UTC"
    FLAG = "yes or no"


@dataclass(frozen=True)
class Column:
    """A column, and the SQL of its value."""

    name: str
    kind: Kind
    value: str


# In the archive or, where pictures are exported as well, beside the export.
_PICTURE = (
    "CASE WHEN CAST(:pictures AS text) IS NULL THEN p.path ELSE CAST(:pictures AS text) "
    "|| '/' || c.ad_creative_id || substring(p.path FROM '[.][a-z]+$') END"
)
COLUMNS = (
    Column("ad_creative_id", Kind.TEXT, "c.ad_creative_id"),
    Column("title", Kind.TEXT, TITLE_OF_AD),
    Column("headline", Kind.TEXT, "coalesce(d.headline, q.headline)"),
    Column("snippet", Kind.TEXT, "coalesce(d.snippet, nullif(array_to_string(q.lines, ' '), ''))"),
    Column("call_to_action", Kind.TEXT, "d.call_to_action"),
    Column(
        "words_source",
        Kind.TEXT,
        "CASE WHEN coalesce(d.headline, d.snippet, d.call_to_action) IS NOT NULL THEN 'bought' "
        "WHEN q.lines <> '{}' THEN 'read' END",
    ),
    Column("words_language", Kind.TEXT, "q.language"),
    Column("words_confidence", Kind.SHARE, "q.confidence"),
    Column("landing_url", Kind.TEXT, "d.landing_url"),
    Column("funded_by", Kind.TEXT, "d.funded_by"),
    Column("advertiser", Kind.TEXT, "a.name"),
    Column("advertiser_id", Kind.TEXT, "c.advertiser_id"),
    Column("domain", Kind.TEXT, "c.target_domain"),
    Column("format", Kind.TEXT, "c.format"),
    Column("width", Kind.NUMBER, "nullif(c.width, 0)"),
    Column("height", Kind.NUMBER, "nullif(c.height, 0)"),
    Column("first_shown", Kind.MOMENT, "c.first_shown"),
    Column("last_shown", Kind.MOMENT, "c.last_shown"),
    Column("days_shown", Kind.NUMBER, "c.total_days_shown"),
    Column(
        "is_running",
        Kind.FLAG,
        f"coalesce(c.last_shown >= now() - interval '{RUNNING_DAYS} days', false)",
    ),
    Column("searched_regions", Kind.TEXTS, "c.regions"),
    Column("platforms", Kind.TEXTS, "c.platforms"),
    Column("tags", Kind.TEXTS, TAGS_OF_AD),
    Column("note", Kind.TEXT, "n.note"),
    Column("picture", Kind.TEXT, _PICTURE),
    Column("image_url", Kind.TEXT, "c.image_url"),
    Column("video_link", Kind.TEXT, "c.video_link"),
    Column("link", Kind.TEXT, "c.details_link"),
    Column("views_min", Kind.NUMBER, "c.views_min"),
    Column("views_max", Kind.NUMBER, "c.views_max"),
    Column("budget_min", Kind.TEXT, "c.budget_min"),
    Column("budget_max", Kind.TEXT, "c.budget_max"),
    Column("stored_at", Kind.MOMENT, "date_trunc('second', c.created_at)"),
)
JOINS = """
    JOIN advertiser a USING (advertiser_id)
    LEFT JOIN creative_detail d USING (ad_creative_id)
    LEFT JOIN creative_note n ON n.user_id = :user_id AND n.ad_creative_id = c.ad_creative_id
    LEFT JOIN picture_version p ON p.ad_creative_id = c.ad_creative_id
        AND p.content_hash = c.content_hash
    LEFT JOIN picture_words q ON q.sha256 = p.sha256 AND q.status = 'read'
        AND coalesce(d.headline, d.snippet, d.call_to_action) IS NULL
"""
"""Whose columns the values name, beside those of `c`, the creative."""
