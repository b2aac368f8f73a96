"""What watches have reported and what was paid outlives the ads: no foreign keys to creatives."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = ("watch_creative", "creative_event", "creative_detail", "creative_region")


def upgrade() -> None:
    """Bring the schema to this revision."""
    for table in _TABLES:
        op.drop_constraint(op.f(f"fk_{table}_ad_creative_id_creative"), table, type_="foreignkey")
    op.add_column("watch_creative", sa.Column("advertiser_id", sa.Text(), nullable=True))
    op.execute(
        "UPDATE watch_creative l SET advertiser_id = c.advertiser_id FROM creative c "
        "WHERE c.ad_creative_id = l.ad_creative_id"
    )


def downgrade() -> None:
    """Take this revision back; what is remembered of removed ads is lost."""
    op.drop_column("watch_creative", "advertiser_id")
    for table in _TABLES:
        op.execute(
            f"DELETE FROM {table} t WHERE NOT EXISTS (SELECT FROM creative c "  # noqa: S608
            "WHERE c.ad_creative_id = t.ad_creative_id)"
        )
        op.create_foreign_key(
            op.f(f"fk_{table}_ad_creative_id_creative"),
            table,
            "creative",
            ["ad_creative_id"],
            ["ad_creative_id"],
            ondelete="CASCADE",
        )
