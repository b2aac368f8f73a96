"""When each reviewer decided, apart from when they last changed anything of their review."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TABLE = "variant_feedback"
_INDEX = "ix_variant_feedback_latest"


def upgrade() -> None:
    """Bring the schema to this revision; what was decided before was so at the last change."""
    op.add_column(_TABLE, sa.Column("decided_at", sa.DateTime(timezone=True)))
    op.execute(
        f"UPDATE {_TABLE} SET decided_at = updated_at WHERE is_approved IS NOT NULL"  # noqa: S608  (a constant)
    )
    op.create_check_constraint("decided_at", _TABLE, "(is_approved IS NULL) = (decided_at IS NULL)")
    _index_by("decided_at")


def downgrade() -> None:
    """Take this revision back."""
    _index_by("updated_at")
    op.drop_constraint("decided_at", _TABLE, type_="check")
    op.drop_column(_TABLE, "decided_at")


def _index_by(moment: str) -> None:
    op.drop_index(_INDEX, _TABLE)
    op.create_index(
        _INDEX,
        _TABLE,
        ["variant_id", sa.text(f"{moment} DESC"), sa.text("id DESC")],
        postgresql_include=["is_approved", "rating"],
    )
