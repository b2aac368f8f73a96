"""Which digest was the first that saw a country of an ad, whenever its row was committed."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_TABLE = "creative_region"
_LONG_AGO = "1970-01-01 00:00:00+00"
_INDEX = "ix_creative_region_undigested"


def upgrade() -> None:
    """Bring the schema to this revision; what is there counts as seen when it was stored.

    Rows from before the last digest of all watches count as seen long ago: by a default, for which
    a large table need not be written anew while everybody waits.
    """
    moment = sa.DateTime(timezone=True)
    op.add_column(
        _TABLE, sa.Column("digested_at", moment, server_default=sa.text(f"'{_LONG_AGO}'"))
    )
    op.alter_column(_TABLE, "digested_at", server_default=None)
    op.execute(
        f"UPDATE {_TABLE} SET digested_at = first_seen_at WHERE first_seen_at > "  # noqa: S608  (constants)
        "(SELECT min(coalesce(digested_at, baseline_at)) FROM watch)"
    )
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
