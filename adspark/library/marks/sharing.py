"""What a user sees of others' tags, titles and notes, in SQL; `:user_id` is the user.

A tag is shared as a whole, on whatever ads it is; a title or a note on its ad.
"""

VISIBLE_TAGS = """
    SELECT DISTINCT tag, user_id FROM creative_tag WHERE user_id = :user_id
    UNION SELECT tag, user_id FROM shared_tag
"""
"""Tags, and whose they are: the user's own, and those that are shared."""

TAGS_OF_AD = """ARRAY(
    SELECT DISTINCT t.tag FROM creative_tag t
    WHERE t.ad_creative_id = c.ad_creative_id AND (t.user_id = :user_id OR EXISTS (
        SELECT FROM shared_tag s WHERE s.user_id = t.user_id AND s.tag = t.tag
    )) ORDER BY t.tag
)"""
"""The visible tags of the ad `c`, each once, as an array."""

HAS_TAG = """c.ad_creative_id IN (
    SELECT ad_creative_id FROM creative_tag WHERE user_id = :user_id AND tag = :tag
    UNION ALL SELECT t.ad_creative_id FROM shared_tag s JOIN creative_tag t USING (user_id, tag)
    WHERE s.tag = :tag
)"""
"""That the ad `c` has the tag `:tag`, the user's own or one that is shared."""

TITLE_OF_AD = """coalesce(n.title, (
    SELECT o.title FROM creative_note o
    WHERE o.ad_creative_id = c.ad_creative_id AND o.is_title_shared ORDER BY o.user_id LIMIT 1
))"""
"""The title of the ad `c`: the user's own, which is in `n`, else one that is shared."""

SEES_NOTE = """(n.user_id = :user_id
    OR n.is_title_shared AND search_note(n.title, NULL) @@ query
    OR n.is_note_shared AND search_note(NULL, n.note) @@ query
)"""
"""That the user sees what `query` finds in the title and note `n`."""
