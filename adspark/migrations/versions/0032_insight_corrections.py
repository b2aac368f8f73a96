"""Regions that were left though the ad runs on, and medians missed by a rounding error.

The views' columns stay as they are.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# Details are bought once. Where an ad was still shown in a region then, as it is decided whether an
# ad runs (RUNNING_DAYS in adspark/library/filters/definition.py), its own last day counts there.
_REGION = """
    SELECT d.advertiser_id, r.region, count(*) AS ads,
        min(r.first_day) AS entered_on,
        CASE WHEN NOT bool_or(r.is_running) THEN max(r.last_day) END AS left_on,
        count(*) FILTER (WHERE r.is_running) AS running,
        count(*) FILTER (WHERE r.is_by_details) AS ads_with_details
    FROM insight_ad d CROSS JOIN LATERAL (
        SELECT known.region, known.first_day, known.last_day,
            d.is_running AND known.last_day >= (now() AT TIME ZONE 'UTC')::date - 7 AS is_running,
            true AS is_by_details
        FROM (
            SELECT e.region, coalesce(e.first_shown, d.first_day) AS first_day,
                CASE WHEN e.last_shown >= (t.answered_at AT TIME ZONE 'UTC')::date - 7
                    THEN greatest(e.last_shown, d.last_day)
                    ELSE coalesce(e.last_shown, d.last_day) END AS last_day
            FROM creative_region e LEFT JOIN creative_detail t USING (ad_creative_id)
            WHERE e.ad_creative_id = d.ad_creative_id
        ) AS known
        UNION ALL
        SELECT s.region, d.first_day, d.last_day, d.is_running, false
        FROM unnest(d.searched_regions) AS s (region)
        WHERE NOT EXISTS (
            SELECT FROM creative_region e WHERE e.ad_creative_id = d.ad_creative_id
        )
    ) AS r
    WHERE d.days > 0
    GROUP BY d.advertiser_id, r.region
"""
_FORMER_REGION = """
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
"""
_SURVIVAL = """
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
        {survival} AS survival
    FROM risk WINDOW w AS (PARTITION BY advertiser_id ORDER BY days)
"""
_PRODUCT = """
    CASE WHEN bool_or(ended = at_risk) OVER w THEN 0 ELSE exp(sum(
        CASE WHEN ended < at_risk THEN ln(1 - ended::float8 / at_risk) END
    ) OVER w) END
"""
# A product by logarithms misses the half by the last digits, and with it the median.
_ROUNDED = f"round(({_PRODUCT})::numeric, 12)::float8"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(f"CREATE OR REPLACE VIEW insight_region AS {_REGION}")
    op.execute(f"CREATE OR REPLACE VIEW insight_survival AS {_SURVIVAL.format(survival=_ROUNDED)}")


def downgrade() -> None:
    """Take this revision back."""
    op.execute(f"CREATE OR REPLACE VIEW insight_survival AS {_SURVIVAL.format(survival=_PRODUCT)}")
    op.execute(f"CREATE OR REPLACE VIEW insight_region AS {_FORMER_REGION}")
