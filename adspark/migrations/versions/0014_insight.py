"""Insight: views of what is stored, with a documented contract (adspark/insight/views.py).

Tools that draw figures read them, so a column is never renamed or removed here, only added.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# An ad runs as long as it was shown on one of the last seven days (adspark/library/filters/definition.py).
_VIEWS = {
    "insight_ad": """
        SELECT c.ad_creative_id, c.advertiser_id, a.name AS advertiser, c.format,
            nullif(c.width, 0) AS width, nullif(c.height, 0) AS height, c.target_domain AS domain,
            c.platforms, c.regions AS searched_regions,
            (c.first_shown AT TIME ZONE 'UTC')::date AS first_day,
            (c.last_shown AT TIME ZONE 'UTC')::date AS last_day,
            coalesce(c.last_shown >= now() - interval '7 days', false) AS is_running,
            (c.last_shown AT TIME ZONE 'UTC')::date - (c.first_shown AT TIME ZONE 'UTC')::date + 1
                AS days
        FROM creative c JOIN advertiser a USING (advertiser_id)
    """,
    "insight_daily": """
        WITH change AS NOT MATERIALIZED (
            SELECT advertiser_id, day, sum(launched) AS launched, sum(ended) AS ended FROM (
                SELECT advertiser_id, first_day AS day, 1 AS launched, 0 AS ended
                FROM insight_ad WHERE days > 0
                UNION ALL
                SELECT advertiser_id, last_day, 0, 1
                FROM insight_ad WHERE days > 0 AND NOT is_running
                UNION ALL
                SELECT advertiser_id, (now() AT TIME ZONE 'UTC')::date, 0, 0
                FROM insight_ad WHERE days > 0 AND is_running
            ) AS one GROUP BY advertiser_id, day
        )
        SELECT s.advertiser_id, g.day::date AS day,
            coalesce(c.launched, 0) AS launched, coalesce(c.ended, 0) AS ended,
            (sum(coalesce(c.launched, 0)) OVER w - sum(coalesce(c.ended, 0)) OVER w
                + coalesce(c.ended, 0))::bigint AS running
        FROM (
            SELECT advertiser_id, min(day) AS first_day, max(day) AS last_day
            FROM change GROUP BY advertiser_id
        ) AS s
            CROSS JOIN LATERAL generate_series(
                s.first_day::timestamp, s.last_day::timestamp, interval '1 day'
            ) AS g (day)
            LEFT JOIN change c ON c.advertiser_id = s.advertiser_id AND c.day = g.day::date
        WINDOW w AS (PARTITION BY s.advertiser_id ORDER BY g.day)
    """,
    "insight_mix": """
        SELECT d.advertiser_id, k.kind, k.value, count(*) AS ads,
            count(*) FILTER (WHERE d.is_running) AS running
        FROM insight_ad d CROSS JOIN LATERAL (
            SELECT 'format' AS kind, d.format AS value
            UNION ALL SELECT 'size', d.width || 'x' || d.height
            UNION ALL SELECT 'platform', unnest(d.platforms)
        ) AS k
        WHERE k.value IS NOT NULL GROUP BY d.advertiser_id, k.kind, k.value
    """,
    "insight_region": """
        SELECT d.advertiser_id, r.region, count(*) AS ads,
            min(r.first_day) AS entered_on,
            CASE WHEN NOT bool_or(r.is_running) THEN max(r.last_day) END AS left_on,
            count(*) FILTER (WHERE r.is_running) AS running,
            count(*) FILTER (WHERE r.is_by_details) AS ads_with_details
        FROM insight_ad d CROSS JOIN LATERAL (
            SELECT e.region, coalesce(e.first_shown, d.first_day) AS first_day,
                coalesce(e.last_shown, d.last_day) AS last_day,
                d.is_running AND coalesce(e.last_shown, d.last_day)
                    >= (now() AT TIME ZONE 'UTC')::date - 7 AS is_running,
                true AS is_by_details
            FROM creative_region e WHERE e.ad_creative_id = d.ad_creative_id
            UNION ALL
            SELECT s.region, d.first_day, d.last_day, d.is_running, false
            FROM unnest(d.searched_regions) AS s (region)
            WHERE NOT EXISTS (
                SELECT FROM creative_region e WHERE e.ad_creative_id = d.ad_creative_id
            )
        ) AS r
        GROUP BY d.advertiser_id, r.region
    """,
    "insight_survival": """
        WITH life AS (
            SELECT advertiser_id, days, count(*) FILTER (WHERE NOT is_running) AS ended,
                count(*) FILTER (WHERE is_running) AS still_running
            FROM insight_ad WHERE days > 0 GROUP BY advertiser_id, days
        ), risk AS (
            SELECT life.*, (sum(ended + still_running) OVER (
                PARTITION BY advertiser_id ORDER BY days DESC
            ))::bigint AS at_risk FROM life
        )
        SELECT advertiser_id, days, at_risk, ended, still_running,
            CASE WHEN bool_or(ended = at_risk) OVER w THEN 0 ELSE exp(sum(
                CASE WHEN ended < at_risk THEN ln(1 - ended::float8 / at_risk) END
            ) OVER w) END AS survival
        FROM risk WINDOW w AS (PARTITION BY advertiser_id ORDER BY days)
    """,
    "insight_share": """
        SELECT day, advertiser_id, running,
            (running / nullif(sum(running) OVER (PARTITION BY day), 0))::float8
                AS share_of_creatives_seen
        FROM insight_daily
    """,
}


def upgrade() -> None:
    """Bring the schema to this revision."""
    for name, statement in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {statement}")


def downgrade() -> None:
    """Take this revision back."""
    for name in reversed(_VIEWS):
        op.execute(f"DROP VIEW {name}")
