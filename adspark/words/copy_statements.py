"""What counts as an ad's copy, in SQL: what was bought with its details, else what was read.

Bought is copy with a headline, a body or a call to action. Without any, that counts which was read
from the picture: from its present version, or the last one before it that was read.
"""

IS_BOUGHT = "coalesce(d.headline, d.snippet, d.call_to_action) IS NOT NULL"
HEADLINE = "coalesce(d.headline, r.headline)"
SNIPPET = "coalesce(d.snippet, r.snippet)"
"""The body; where the copy was read, all that was read."""

SOURCE = f"CASE WHEN {IS_BOUGHT} THEN 'bought' WHEN r.snippet IS NOT NULL THEN 'read' END"
"""Where the copy is from; NULL: none is known."""


def join_copy(ad: str = "c.ad_creative_id") -> str:
    """The joins that the values here need: `d`, the details of an ad, and `r`, what was read.

    `ad` is the id of the ad, in the tables that come before. `r` has the columns headline, snippet,
    language and confidence, and no row where the copy was bought.
    """
    return f"""
        LEFT JOIN creative_detail d ON d.ad_creative_id = {ad}
        LEFT JOIN LATERAL (
            SELECT headline, array_to_string(lines, ' ') AS snippet, language, confidence
            FROM read_words_of({ad})
            WHERE lines <> '{{}}' AND ({IS_BOUGHT}) IS NOT TRUE
        ) AS r ON true
    """  # noqa: S608  (put together from constants)
