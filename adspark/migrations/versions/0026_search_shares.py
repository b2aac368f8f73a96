"""Users' weights, by which they share the searches of sweeps; details by when they were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "search_share",
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.CheckConstraint("weight BETWEEN 1 AND 100", name=op.f("ck_search_share_weight")),
    )
    op.create_index("ix_creative_detail_asked_at", "creative_detail", ["asked_at"])


def downgrade() -> None:
    """Take this revision back; users' weights are lost."""
    op.drop_index("ix_creative_detail_asked_at", "creative_detail")
    op.drop_table("search_share")
