"""The ledger: a fencing token, dry runs, what shows gaps; rows and fields that cannot be read."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STOP_REASONS = "stop_reason IN ('end', 'watermark', 'page_limit', 'budget', 'gap', 'error')"
_STOP_REASONS_BEFORE = "stop_reason IN ('end', 'watermark', 'page_limit', 'budget', 'error')"
_FLAGS = ("is_dry_run", "is_refreshed")


def upgrade() -> None:
    """Bring the schema to this revision."""
    for name in _FLAGS:
        op.add_column(
            "fetch", sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        )
    op.add_column(
        "fetch", sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    for table, name in (("fetch", "token_hashes"), ("creative", "dropped_fields")):
        op.add_column(
            table,
            sa.Column(name, sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        )
    op.add_column("fetch", sa.Column("shown_to", sa.DateTime(timezone=True)))
    op.add_column("fetch", sa.Column("total_results", sa.Integer()))
    _replace_stop_reasons(_STOP_REASONS)
    op.add_column("rejected_row", sa.Column("row_key", sa.Text()))
    op.create_index(op.f("ix_rejected_row_row_key"), "rejected_row", ["row_key"], unique=False)
    op.add_column("advertiser", sa.Column("named_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE advertiser SET named_at = last_seen_at")


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("advertiser", "named_at")
    op.drop_index(op.f("ix_rejected_row_row_key"), table_name="rejected_row")
    op.drop_column("rejected_row", "row_key")
    op.execute("UPDATE \"fetch\" SET stop_reason = 'end' WHERE stop_reason = 'gap'")
    _replace_stop_reasons(_STOP_REASONS_BEFORE)
    op.drop_column("creative", "dropped_fields")
    for name in (*_FLAGS, "attempt", "token_hashes", "shown_to", "total_results"):
        op.drop_column("fetch", name)


def _replace_stop_reasons(condition: str) -> None:
    op.drop_constraint(op.f("ck_fetch_stop_reason"), "fetch", type_="check")
    op.create_check_constraint(op.f("ck_fetch_stop_reason"), "fetch", condition)
