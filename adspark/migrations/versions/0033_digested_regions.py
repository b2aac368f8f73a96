"""Which digest was the first that saw a country of an ad, whenever its row was committed."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_TABLE = "creative_region"
_INDEX = "ix_creative_region_undigested"


def upgrade() -> None:
    """Bring the schema to this revision; what is there counts as seen when it was stored."""
    op.add_column(_TABLE, sa.Column("digested_at", sa.DateTime(timezone=True)))
    op.execute(f"UPDATE {_TABLE} SET digested_at = first_seen_at")  # noqa: S608  (a constant)
    op.create_index(
        _INDEX,
        _TABLE,
        ["ad_creative_id", "region"],
        postgresql_where=sa.text("digested_at IS NULL"),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(_INDEX, _TABLE)
    op.drop_column(_TABLE, "digested_at")
