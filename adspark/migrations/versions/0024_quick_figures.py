"""Figures of variants from indexes alone; the days of an advertiser's ads from one reading of them.

The view's columns stay as they are.
"""

from alembic import op
from sqlalchemy import text

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# The days of a change, and those up to the next one.
_DAILY = """
    WITH change AS (
        SELECT i.advertiser_id, one.day, sum(one.launched) AS launched, sum(one.ended) AS ended
        FROM insight_ad i CROSS JOIN LATERAL (VALUES
            (i.first_day, 1, 0),
            (CASE WHEN i.is_running THEN (now() AT TIME ZONE 'UTC')::date ELSE i.last_day END,
                0, CASE WHEN i.is_running THEN 0 ELSE 1 END)
        ) AS one (day, launched, ended)
        WHERE i.days > 0 GROUP BY i.advertiser_id, one.day
    )
    SELECT s.advertiser_id, g.day::date AS day,
        CASE WHEN g.day::date = s.day THEN s.launched ELSE 0 END AS launched,
        CASE WHEN g.day::date = s.day THEN s.ended ELSE 0 END AS ended,
        (s.balance + CASE WHEN g.day::date = s.day THEN s.ended ELSE 0 END)::bigint AS running
    FROM (
        SELECT advertiser_id, day, launched, ended,
            sum(launched) OVER w - sum(ended) OVER w AS balance, lead(day) OVER w AS next_day
        FROM change WINDOW w AS (PARTITION BY advertiser_id ORDER BY day)
    ) AS s
        CROSS JOIN LATERAL generate_series(
            s.day::timestamp, coalesce(s.next_day - 1, s.day)::timestamp, interval '1 day'
        ) AS g (day)
"""
_FORMER_DAILY = """
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
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index(
        "ix_ad_variant_figures",
        "ad_variant",
        ["user_id", "id"],
        postgresql_include=["status", "wants_review", "is_too_close", "started_at", "completed_at"],
    )
    op.create_index(
        "ix_ad_variant_to_review",
        "ad_variant",
        ["id"],
        postgresql_where=text("status = 'completed' AND wants_review"),
    )
    op.create_index(
        "ix_variant_feedback_latest",
        "variant_feedback",
        ["variant_id", text("updated_at DESC"), text("id DESC")],
        postgresql_include=["is_approved", "rating"],
    )
    op.execute(f"CREATE OR REPLACE VIEW insight_daily AS {_DAILY}")


def downgrade() -> None:
    """Take this revision back."""
    op.execute(f"CREATE OR REPLACE VIEW insight_daily AS {_FORMER_DAILY}")
    op.drop_index("ix_variant_feedback_latest", "variant_feedback")
    op.drop_index("ix_ad_variant_to_review", "ad_variant")
    op.drop_index("ix_ad_variant_figures", "ad_variant")
