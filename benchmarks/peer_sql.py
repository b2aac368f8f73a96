"""The merge of creatives and the ledger as one would write them by hand for psycopg.

Written without AdSpark's own statements, for the same result in the same tables on PostgreSQL 15
or newer: what is stored is never unlearned, dates only widen, and a row that would stay as it is
is not touched. What a good hand would spare is spared: sets of regions and platforms are only made
anew where one grows.
"""

_COLUMNS = """
    ad_creative_id, advertiser_id, format, image_url, video_link, width, height, target_domain,
    first_shown, last_shown, total_days_shown, details_link, views_min, views_max,
    budget_min, budget_max
"""

_ON_CREATIVE_CONFLICT = """
    ON CONFLICT (ad_creative_id) DO UPDATE SET
        advertiser_id = excluded.advertiser_id,
        format = excluded.format,
        image_url = CASE WHEN excluded.image_url IS NULL AND excluded.video_link IS NULL
            THEN c.image_url ELSE excluded.image_url END,
        video_link = CASE WHEN excluded.image_url IS NULL AND excluded.video_link IS NULL
            THEN c.video_link ELSE excluded.video_link END,
        width = CASE WHEN coalesce(excluded.image_url, excluded.video_link) IS NOT NULL
            AND (excluded.image_url, excluded.video_link)
                IS DISTINCT FROM (c.image_url, c.video_link)
            THEN excluded.width ELSE coalesce(excluded.width, c.width) END,
        height = CASE WHEN coalesce(excluded.image_url, excluded.video_link) IS NOT NULL
            AND (excluded.image_url, excluded.video_link)
                IS DISTINCT FROM (c.image_url, c.video_link)
            THEN excluded.height ELSE coalesce(excluded.height, c.height) END,
        target_domain = coalesce(excluded.target_domain, c.target_domain),
        first_shown = least(excluded.first_shown, c.first_shown),
        last_shown = greatest(excluded.last_shown, c.last_shown),
        total_days_shown = greatest(excluded.total_days_shown, c.total_days_shown),
        details_link = coalesce(c.details_link, excluded.details_link),
        views_min = coalesce(excluded.views_min, c.views_min),
        views_max = coalesce(excluded.views_max, c.views_max),
        budget_min = coalesce(excluded.budget_min, c.budget_min),
        budget_max = coalesce(excluded.budget_max, c.budget_max),
        regions = CASE WHEN c.regions @> excluded.regions THEN c.regions
            ELSE ARRAY(SELECT DISTINCT unnest(c.regions || excluded.regions) ORDER BY 1) END,
        platforms = CASE WHEN c.platforms @> excluded.platforms THEN c.platforms
            ELSE ARRAY(SELECT DISTINCT unnest(c.platforms || excluded.platforms) ORDER BY 1) END,
        updated_at = now()
    WHERE (excluded.advertiser_id, excluded.format)
            IS DISTINCT FROM (c.advertiser_id, c.format)
        OR coalesce(excluded.image_url, excluded.video_link) IS NOT NULL
            AND (excluded.image_url, excluded.video_link)
                IS DISTINCT FROM (c.image_url, c.video_link)
        OR coalesce(excluded.width, c.width) IS DISTINCT FROM c.width
        OR coalesce(excluded.height, c.height) IS DISTINCT FROM c.height
        OR coalesce(excluded.target_domain, c.target_domain) IS DISTINCT FROM c.target_domain
        OR least(excluded.first_shown, c.first_shown) IS DISTINCT FROM c.first_shown
        OR greatest(excluded.last_shown, c.last_shown) IS DISTINCT FROM c.last_shown
        OR greatest(excluded.total_days_shown, c.total_days_shown)
            IS DISTINCT FROM c.total_days_shown
        OR c.details_link IS NULL AND excluded.details_link IS NOT NULL
        OR coalesce(excluded.views_min, c.views_min) IS DISTINCT FROM c.views_min
        OR coalesce(excluded.views_max, c.views_max) IS DISTINCT FROM c.views_max
        OR coalesce(excluded.budget_min, c.budget_min) IS DISTINCT FROM c.budget_min
        OR coalesce(excluded.budget_max, c.budget_max) IS DISTINCT FROM c.budget_max
        OR NOT c.regions @> excluded.regions
        OR NOT c.platforms @> excluded.platforms
"""

_ON_ADVERTISER_CONFLICT = """
    ON CONFLICT (advertiser_id) DO UPDATE SET
        name = coalesce(nullif(excluded.name, ''), a.name),
        first_seen_at = least(a.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),
        updated_at = now()
    WHERE coalesce(nullif(excluded.name, ''), a.name) IS DISTINCT FROM a.name
        OR least(a.first_seen_at, excluded.first_seen_at) IS DISTINCT FROM a.first_seen_at
        OR greatest(a.last_seen_at, excluded.last_seen_at) IS DISTINCT FROM a.last_seen_at
"""

_PAGE_OF_ARRAYS = f"""
    SELECT * FROM unnest(
        %(ad_creative_id)s::text[], %(advertiser_id)s::text[], %(format)s::text[],
        %(image_url)s::text[], %(video_link)s::text[], %(width)s::int[], %(height)s::int[],
        %(target_domain)s::text[], %(first_shown)s::timestamptz[],
        %(last_shown)s::timestamptz[], %(total_days_shown)s::int[], %(details_link)s::text[],
        %(views_min)s::bigint[], %(views_max)s::bigint[], %(budget_min)s::text[],
        %(budget_max)s::text[], %(advertiser)s::text[]
    ) AS t ({_COLUMNS}, advertiser)
"""

_PAGE_OF_JSON = """
    SELECT ad_creative_id, advertiser_id, format, image AS image_url, link AS video_link,
           width, height, target_domain, first_shown, last_shown, total_days_shown, details_link,
           minimum_views_count AS views_min, maximum_views_count AS views_max,
           minimum_budget_spent AS budget_min, maximum_budget_spent AS budget_max, advertiser
    FROM json_to_recordset(%(rows)s::json) AS t (
        ad_creative_id text, advertiser_id text, format text, image text, link text,
        width int, height int, target_domain text, first_shown timestamptz,
        last_shown timestamptz, total_days_shown int, details_link text,
        minimum_views_count bigint, maximum_views_count bigint,
        minimum_budget_spent text, maximum_budget_spent text, advertiser text
    )
"""

_SAVE_PAGE = f"""
    WITH page AS ({{}}), written AS (
        INSERT INTO creative AS c ({_COLUMNS}, regions, platforms)
        SELECT {_COLUMNS}, %(regions)s::text[], %(platforms)s::text[]
        FROM page ORDER BY ad_creative_id
        {_ON_CREATIVE_CONFLICT}
        RETURNING ad_creative_id, content_hash, xmax = 0 AS inserted
    ), advertisers AS (
        INSERT INTO advertiser AS a (advertiser_id, name, first_seen_at, last_seen_at)
        SELECT advertiser_id,
               (array_agg(advertiser ORDER BY last_shown DESC NULLS LAST))[1],
               min(first_shown), max(last_shown)
        FROM page GROUP BY advertiser_id ORDER BY advertiser_id
        {_ON_ADVERTISER_CONFLICT}
    )
    SELECT ad_creative_id, inserted FROM written
    WHERE inserted OR content_hash <> (  -- as the page found it
        SELECT content_hash FROM creative WHERE ad_creative_id = written.ad_creative_id
    )
"""

SAVE_ARRAYS = _SAVE_PAGE.format(_PAGE_OF_ARRAYS)
SAVE_JSON = _SAVE_PAGE.format(_PAGE_OF_JSON)

SAVE_ADVERTISER = f"""
    INSERT INTO advertiser AS a (advertiser_id, name, first_seen_at, last_seen_at)
    VALUES (%(advertiser_id)s, %(advertiser)s, %(first_shown)s, %(last_shown)s)
    {_ON_ADVERTISER_CONFLICT}
"""

SAVE_CREATIVE = f"""
    INSERT INTO creative AS c ({_COLUMNS}, regions, platforms)
    VALUES (
        %(ad_creative_id)s, %(advertiser_id)s, %(format)s, %(image_url)s, %(video_link)s,
        %(width)s, %(height)s, %(target_domain)s, %(first_shown)s, %(last_shown)s,
        %(total_days_shown)s, %(details_link)s, %(views_min)s, %(views_max)s,
        %(budget_min)s, %(budget_max)s, %(regions)s::text[], %(platforms)s::text[]
    )
    {_ON_CREATIVE_CONFLICT}
"""

OPEN_FETCH = """
    INSERT INTO "fetch" (id, query, query_hash, status, pages, searches_billed, searches_cached,
                         new_count, changed_count, unchanged_count, rejected_count)
    VALUES (%(id)s, '{}', %(name)s, 'running', 0, 0, 0, 0, 0, 0, 0)
"""

# A search is paid for unless a fetch of the last two hours names it already, or its answer is
# older than this fetch.
RECORD_PAGE = """
    UPDATE "fetch" SET
        pages = pages + 1,
        searches_cached = searches_cached + CASE WHEN paid.before THEN 1 ELSE 0 END,
        searches_billed = searches_billed + CASE WHEN paid.before THEN 0 ELSE 1 END,
        search_ids = search_ids || %(search_id)s::text,
        next_page_token = %(token)s,
        new_count = new_count + %(new)s,
        changed_count = changed_count + %(changed)s,
        unchanged_count = unchanged_count + %(unchanged)s,
        rejected_count = rejected_count + %(rejected)s,
        updated_at = now()
    FROM (
        SELECT EXISTS (
            SELECT FROM "fetch"
            WHERE query_hash = (SELECT query_hash FROM "fetch" WHERE id = %(id)s)
                AND started_at > now() - interval '110 minutes'
                AND %(search_id)s::text = ANY (search_ids)
        ) OR %(age)s > (
            SELECT extract(epoch FROM now() - started_at) + 2 FROM "fetch" WHERE id = %(id)s
        ) AS before
    ) AS paid
    WHERE id = %(id)s
"""
