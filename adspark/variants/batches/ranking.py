"""In which order the variants of a batch are compared: by rules, by people, by closeness.

1. completed ones first, then those that are open, then those that failed or were cancelled;
2. those that break the fewest brand rules;
3. approved, not decided, rejected, by the latest word on each;
4. those that are too close to their originals last;
5. the mean rating, the highest first;
6. the likeness to the original, the least first.
"""

from adspark.variants.reviews.decisions import IS_APPROVED

_BY_STATUS = """
    CASE v.status WHEN 'completed' THEN 0 WHEN 'processing' THEN 1 WHEN 'pending' THEN 2 ELSE 3 END
"""
_BY_DECISION = f"CASE {IS_APPROVED} WHEN true THEN 0 WHEN false THEN 2 ELSE 1 END"
_RATING = "(SELECT avg(f.rating) FROM variant_feedback f WHERE f.variant_id = v.id)"

TERMS = (
    _BY_STATUS,
    "v.failed_rules",
    _BY_DECISION,
    "v.is_too_close",
    f"{_RATING} DESC NULLS LAST",
    "greatest(v.picture_similarity, v.text_similarity) NULLS LAST",
    "v.id",
)
"""Each an expression over `ad_variant v`."""

ORDER = ", ".join(TERMS)
"""What stands behind ORDER BY."""
