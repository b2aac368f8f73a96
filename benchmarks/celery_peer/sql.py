"""The statements of the peer: one bulk upsert a page, then its links and events, ledger and watch.

They store the same rows, links and events as AdSpark's. They do not promise as much: a page is not
resumed after a crash, a change of the watch meanwhile is not noticed, and a message that comes
twice searches and pays twice.
"""

READ_DUE = "SELECT id FROM watch WHERE is_active AND due_at <= now() ORDER BY due_at, id"

READ_WATCH = """
    SELECT advertiser_ids, region, baseline_at, complete_at, ended_after_days, interval_minutes
    FROM watch WHERE id = %(watch_id)s
"""

# What the watch has not linked is an event, and what it knows in another state is one too; a link
# that says what is stored is not written.
LINK = """
    WITH seen AS (
        SELECT c.ad_creative_id, c.advertiser_id, c.content_hash, p.last_shown,
            l.content_hash AS known_hash, l.last_shown AS known_shown
        FROM json_to_recordset(%(rows)s::json) AS p (ad_creative_id text, last_shown timestamptz)
        JOIN creative c USING (ad_creative_id)
        LEFT JOIN watch_creative l
            ON l.watch_id = %(watch_id)s AND l.ad_creative_id = c.ad_creative_id
    ), linked AS (
        INSERT INTO watch_creative AS l
            (watch_id, ad_creative_id, advertiser_id, content_hash, last_shown)
        SELECT %(watch_id)s, ad_creative_id, advertiser_id, content_hash, last_shown
        FROM seen WHERE known_hash IS DISTINCT FROM content_hash OR known_shown < last_shown
        ORDER BY ad_creative_id
        ON CONFLICT (watch_id, ad_creative_id) DO UPDATE SET content_hash = excluded.content_hash,
            last_shown = excluded.last_shown, ended_at = NULL, last_matched_at = now()
    )
    INSERT INTO creative_event
        (watch_id, ad_creative_id, kind, content_hash, announced_at, notified_at)
    SELECT %(watch_id)s, ad_creative_id,
        CASE WHEN known_hash IS NOT NULL THEN 'changed' WHEN %(is_baseline)s THEN 'baseline'
            ELSE 'new' END,
        content_hash, CASE WHEN %(is_baseline)s THEN now() END,
        CASE WHEN %(is_baseline)s THEN now() END
    FROM seen WHERE known_hash IS DISTINCT FROM content_hash ORDER BY ad_creative_id
"""

END = """
    WITH ended AS (
        UPDATE watch_creative SET ended_at = now()
        WHERE watch_id = %(watch_id)s AND ended_at IS NULL
            AND last_shown < now() - make_interval(days => %(ended_after_days)s)
        RETURNING ad_creative_id, content_hash
    )
    INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash)
    SELECT %(watch_id)s, ad_creative_id, 'ended', content_hash FROM ended ORDER BY 1, 2
"""

RECORD_FETCH = """
    INSERT INTO "fetch" (id, query, query_hash, watch_id, status, pages, searches_billed,
        searches_cached, search_ids, new_count, changed_count, unchanged_count, rejected_count,
        stop_reason, started_at, finished_at)
    VALUES (gen_random_uuid(), %(query)s, %(query_hash)s, %(watch_id)s, 'completed', 1, 1, 0,
        ARRAY[%(search_id)s], %(new)s, %(changed)s, %(unchanged)s, 0, 'end', %(started_at)s, now())
"""

CLOSE_WATCH = """
    UPDATE watch SET baseline_at = coalesce(baseline_at, %(started_at)s),
        complete_at = %(started_at)s, checked_at = now(), coverage = 'complete', problem = NULL,
        due_at = now() + make_interval(mins => interval_minutes)
    WHERE id = %(watch_id)s
"""
