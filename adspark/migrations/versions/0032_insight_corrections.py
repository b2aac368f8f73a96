"""Regions that were left though the ad runs on, and medians missed by a rounding error.

The views' columns stay as they are.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_INSIGHT = "0014"  # which made the views

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
# A product by logarithms misses the half by the last digits, and with it the median.
_SURVIVAL = """
    SELECT advertiser_id, days, at_risk, ended, still_running,
        round(survival::numeric, 12)::float8 AS survival
    FROM ({former}) AS exact
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    _replace("insight_region", _REGION)
    _replace("insight_survival", _SURVIVAL.format(former=_former("insight_survival")))


def downgrade() -> None:
    """Take this revision back."""
    for name in ("insight_region", "insight_survival"):
        _replace(name, _former(name))


def _replace(name: str, statement: str) -> None:
    op.execute(f"CREATE OR REPLACE VIEW {name} AS {statement}")


def _former(name: str) -> str:
    """The statement of a view as it was before."""
    made = op.get_context().script.get_revision(_INSIGHT).module._VIEWS  # type: ignore[union-attr]
    return str(made[name])
