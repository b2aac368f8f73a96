"""Versions of pictures that pages have stored, until the archive enqueues them; no more leases."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# What the archive has not enqueued so far, the newest last.
_FILL = """
    INSERT INTO new_version (ad_creative_id, content_hash, source_url, is_preview, seen_at)
    SELECT ad_creative_id, content_hash, coalesce(image_url, video_link), image_url IS NULL,
        created_at
    FROM creative c
    WHERE coalesce(image_url, video_link) IS NOT NULL AND NOT EXISTS (
        SELECT FROM picture_version v
        WHERE v.ad_creative_id = c.ad_creative_id AND v.content_hash = c.content_hash
    )
    ORDER BY created_at
"""
# Versions that were replaced unseen: nothing can be had of them.
_FORGET = "DELETE FROM picture_version WHERE status = 'failed' AND source_url IS NULL"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "new_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=False),
        sa.Column("is_preview", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_new_version")),
    )
    op.execute(_FILL)
    op.execute(_FORGET)
    op.drop_column("picture_words", "lease_until")


def downgrade() -> None:
    """Take this revision back."""
    op.add_column("picture_words", sa.Column("lease_until", sa.DateTime(timezone=True)))
    op.drop_table("new_version")
