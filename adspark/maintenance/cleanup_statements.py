"""Every statement of the clean-up on rows: which are old, lock a batch of them, remove it, count.

A statement does not see what was committed since it began, so what is locked is checked again
before it is removed: an ad that was put on a board in that moment stays.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import TextClause, text


@dataclass(frozen=True)
class Kind:
    """The statements of one kind of rows: lock a batch, remove what is still old of it, count."""

    lock: TextClause
    remove: TextClause
    count: TextClause
    first: object  # a key before all others
    lock_also: TextClause | None = None


def _kind(table: str, key: str, is_old: str, name: str, first: object = "") -> Kind:
    """Rows of a table that go when `is_old` holds; `name` is that of their count."""
    lock = (
        f"SELECT {key} FROM {table} WHERE {key} > :after AND {is_old} "  # noqa: S608  (constants)
        "ORDER BY 1 LIMIT :batch FOR UPDATE SKIP LOCKED"
    )
    delete = f"DELETE FROM {table} WHERE {key} = ANY (:keys) AND {is_old} RETURNING 1"  # noqa: S608
    remove = f"WITH deleted AS ({delete}) SELECT count(*) AS {name} FROM deleted"  # noqa: S608
    count = f"SELECT count(*) AS {name} FROM {table} WHERE {is_old}"  # noqa: S608
    return Kind(text(lock), text(remove), text(count), first)


_IS_PAST = "{} < now() - make_interval(days => :days)"
# News that still has to go into a digest or to Prefect.
_IS_UNANNOUNCED = "kind <> 'baseline' AND (notified_at IS NULL OR announced_at IS NULL)"
# What an ad needs to go; `c` is the creative.
_IS_OLD = f"""
    {_IS_PAST.format("coalesce(c.last_shown, c.created_at)")}
    AND NOT EXISTS (
        SELECT FROM creative_event e WHERE e.ad_creative_id = c.ad_creative_id
            AND {_IS_UNANNOUNCED} AND NOT {_IS_PAST.format("e.occurred_at")}
    )
    AND NOT EXISTS (SELECT FROM board_creative b WHERE b.ad_creative_id = c.ad_creative_id)
    AND NOT EXISTS (SELECT FROM creative_tag t WHERE t.ad_creative_id = c.ad_creative_id)
    AND NOT EXISTS (SELECT FROM creative_note n WHERE n.ad_creative_id = c.ad_creative_id)
    AND NOT EXISTS (
        SELECT FROM ad_variant v WHERE v.original_ad_id = c.ad_creative_id AND (
            v.status IN ('pending', 'processing')
            OR NOT {_IS_PAST.format("greatest(v.requested_at, v.started_at, v.completed_at)")}
            OR EXISTS (
                SELECT FROM variant_feedback f WHERE f.variant_id = v.id
                    AND (f.is_approved OR NOT {_IS_PAST.format("f.updated_at")})
            )
        )
    )
"""  # noqa: S608  (put together from constants)
CREATIVES = replace(
    _kind("creative c", "ad_creative_id", _IS_OLD, "creatives"),
    # Nobody approves a variant that is locked.
    lock_also=text("SELECT id FROM ad_variant WHERE original_ad_id = ANY (:keys) FOR UPDATE"),
    remove=text(f"""
        WITH old AS (
            SELECT ad_creative_id AS key FROM creative c
            WHERE ad_creative_id = ANY (:keys) AND {_IS_OLD}
        ), variants AS (
            DELETE FROM ad_variant WHERE original_ad_id IN (SELECT key FROM old) RETURNING 1
        ), events AS (
            DELETE FROM creative_event
            WHERE ad_creative_id IN (SELECT key FROM old) AND NOT ({_IS_UNANNOUNCED})
        ), creatives AS (
            DELETE FROM creative WHERE ad_creative_id IN (SELECT key FROM old) RETURNING 1
        )
        SELECT (SELECT count(*) FROM creatives) AS creatives,
            (SELECT count(*) FROM variants) AS variants
    """),  # noqa: S608  (put together from a constant)
    count=text(f"""
        SELECT count(*) AS creatives, (
            SELECT count(*) FROM ad_variant o JOIN creative c ON c.ad_creative_id = o.original_ad_id
            WHERE {_IS_OLD}
        ) AS variants
        FROM creative c WHERE {_IS_OLD}
    """),  # noqa: S608  (put together from a constant)
)
_HAS_NO_AD = "NOT EXISTS (SELECT FROM creative c WHERE c.ad_creative_id = {}.ad_creative_id)"
# Events that stayed without their ad, since they were unannounced.
EVENTS = _kind(
    "creative_event e",
    "id",
    f"{_HAS_NO_AD.format('e')} AND {_IS_PAST.format('occurred_at')}",
    "events",
    first=0,
)
# What was paid stays as long as the ledger does, and as long as a watch may want to pay it again.
_IS_UNWANTED = f"""
    {_HAS_NO_AD.format("d")} AND {_IS_PAST.format("coalesce(answered_at, asked_at)")}
    AND NOT EXISTS (SELECT FROM watch_creative l WHERE l.ad_creative_id = d.ad_creative_id)
"""
DETAILS = replace(
    _kind("creative_detail d", "ad_creative_id", _IS_UNWANTED, "details"),
    remove=text(f"""
        WITH deleted AS (
            DELETE FROM creative_detail d WHERE ad_creative_id = ANY (:keys) AND {_IS_UNWANTED}
            RETURNING ad_creative_id
        ), regions AS (
            DELETE FROM creative_region WHERE ad_creative_id IN (SELECT ad_creative_id FROM deleted)
        )
        SELECT count(*) AS details FROM deleted
    """),  # noqa: S608  (put together from a constant)
)
# One that a watch names stays: its name is what the watch is shown by.
_HAS_NOTHING = """
    NOT EXISTS (SELECT FROM creative c WHERE c.advertiser_id = a.advertiser_id)
    AND NOT EXISTS (SELECT FROM watch w WHERE a.advertiser_id = ANY (w.advertiser_ids))
"""
ADVERTISERS = _kind("advertiser a", "advertiser_id", _HAS_NOTHING, "advertisers")
# All old attempts of a variant go together.
GENERATION_USES = _kind(
    "generation_use", "variant_id", _IS_PAST.format("used_at"), "generation_uses", first=0
)
FETCHES = _kind('"fetch"', "id", _IS_PAST.format("started_at"), "fetches", UUID(int=0))
REJECTED_ROWS = _kind("rejected_row", "id", _IS_PAST.format("created_at"), "rejected_rows", 0)
MESSAGES = _kind("message", "id", _IS_PAST.format("delivered_at"), "messages", 0)
# What keeps the versions `v` of an ad's picture, whatever their age and however full the archive.
_IS_KEPT = """(
    EXISTS (SELECT FROM board_creative b WHERE b.ad_creative_id = v.ad_creative_id)
    OR EXISTS (SELECT FROM creative_tag t WHERE t.ad_creative_id = v.ad_creative_id)
    OR EXISTS (SELECT FROM creative_note n WHERE n.ad_creative_id = v.ad_creative_id)
    OR EXISTS (SELECT FROM ad_variant o WHERE o.original_ad_id = v.ad_creative_id)
    OR EXISTS (
        SELECT FROM watch_creative l JOIN watch w ON w.id = l.watch_id
        WHERE l.ad_creative_id = v.ad_creative_id AND l.ended_at IS NULL AND w.is_active
    )
)"""
# Earlier versions, and those of ads that are gone; that of a stored ad stays, or it would be
# enqueued again.
_IS_EARLIER = f"""
    {_IS_PAST.format("coalesce(v.stored_at, v.first_seen_at)")}
    AND NOT EXISTS (
        SELECT FROM creative c
        WHERE c.ad_creative_id = v.ad_creative_id AND c.content_hash = v.content_hash
    )
    AND NOT {_IS_KEPT}
"""
PICTURE_VERSIONS = _kind("picture_version v", "id", _IS_EARLIER, "picture_versions", first=0)
# Words go with the last version of an ad's picture that showed them.
_SHOWS = "SELECT FROM picture_version v WHERE v.sha256 = w.sha256 AND v.status = '{}'"
_SHOWN_BY = [_SHOWS.format(status) for status in ("stored", "removed")]
PICTURE_WORDS = replace(
    _kind(
        "picture_words w",
        "sha256",
        " AND ".join(f"NOT EXISTS ({one})" for one in _SHOWN_BY),
        "picture_words",
    ),
    # With those whose last version would go by its age.
    count=text(
        "SELECT count(*) AS picture_words FROM picture_words w WHERE "  # noqa: S608  (constants)
        + " AND ".join(f"NOT EXISTS ({one} AND NOT ({_IS_EARLIER}))" for one in _SHOWN_BY)
    ),
)

_IS_REMOVABLE = f"v.status = 'stored' AND NOT {_IS_KEPT}"
LOCK_OLDEST = text(f"""
    SELECT id, stored_at, picture_bytes + thumbnail_bytes AS bytes FROM picture_version v
    WHERE (stored_at, id) > (:stored_at, :id) AND {_IS_REMOVABLE}
    ORDER BY stored_at, id LIMIT :batch FOR UPDATE OF v SKIP LOCKED
""")  # noqa: S608  (put together from constants)
"""The oldest pictures after one that nothing needs, with their bytes."""

REMOVE_OLDEST = text(f"""
    UPDATE picture_version v SET status = 'removed', path = NULL, thumbnail_path = NULL,
        picture_bytes = NULL, thumbnail_bytes = NULL
    WHERE id = ANY (:keys) AND {_IS_REMOVABLE}
""")  # noqa: S608  (put together from constants)
"""Of them, those that still nothing needs; the ad keeps size and hashes of its picture."""

COUNT_OLDEST = text(f"""
    WITH stored AS (
        SELECT id, stored_at, sha256, picture_bytes + thumbnail_bytes AS bytes,
            {_IS_KEPT} AS is_kept
        FROM picture_version v WHERE status = 'stored' AND NOT ({_IS_EARLIER})
    ), freed AS (
        SELECT id, stored_at, is_kept, CASE
            WHEN bool_or(is_kept) OVER (PARTITION BY sha256)
                OR lead(id) OVER (PARTITION BY sha256 ORDER BY stored_at, id) IS NOT NULL THEN 0
            ELSE bytes
        END AS bytes
        FROM stored
    ), oldest AS (
        SELECT sum(bytes) OVER (ORDER BY stored_at, id) - bytes AS before
        FROM freed WHERE NOT is_kept
    ), total AS (
        SELECT sum(bytes) AS bytes FROM (
            SELECT max(bytes) AS bytes FROM stored GROUP BY sha256
        ) AS pictures
    )
    SELECT count(*) FROM oldest, total
    WHERE total.bytes > :most_bytes AND before < total.bytes - :target
""")  # noqa: S608  (put together from constants)
"""How many of them would go once those are gone that go by their age; a picture that several show
frees its bytes with the last of them."""
