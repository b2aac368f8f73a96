"""In which order the variants of a batch are compared: by what people said, then by closeness.

1. completed ones first, then those that are open, then those that failed or were cancelled;
2. approved, not decided, rejected, by the latest word on each;
3. those that are too close to their originals last;
4. the mean rating, the highest first;
5. the likeness to the original, the least first.

Verdicts of rules belong between 1 and 2: a term of the same kind, with 0 for a variant that keeps
to all of them.
"""

from adspark.variants.decisions import IS_APPROVED

_BY_STATUS = """
    CASE v.status WHEN 'completed' THEN 0 WHEN 'processing' THEN 1 WHEN 'pending' THEN 2 ELSE 3 END
"""
_BY_DECISION = f"CASE {IS_APPROVED} WHEN true THEN 0 WHEN false THEN 2 ELSE 1 END"
_RATING = "(SELECT avg(f.rating) FROM variant_feedback f WHERE f.variant_id = v.id)"

TERMS = (
    _BY_STATUS,
    _BY_DECISION,
    "v.is_too_close",
    f"{_RATING} DESC NULLS LAST",
    "greatest(v.picture_similarity, v.text_similarity) NULLS LAST",
    "v.id",
)
"""Each an expression over `ad_variant v`."""

ORDER = ", ".join(TERMS)
"""What stands behind ORDER BY."""
