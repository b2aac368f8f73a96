"""Thumbnails of variants' pictures; those of before are made by runs of the archive."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("ad_variant", sa.Column("thumbnail_path", sa.Text()))
    op.create_index(
        "ix_ad_variant_without_thumbnail",
        "ad_variant",
        ["id"],
        postgresql_where=sa.text("image_path IS NOT NULL AND thumbnail_path IS NULL"),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_ad_variant_without_thumbnail", "ad_variant")
    op.drop_column("ad_variant", "thumbnail_path")
