"""Events of a watch by kind and time, its fetches by time, without reading all of them."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index(
        "ix_creative_event_of_watch", "creative_event", ["watch_id", "kind", "occurred_at"]
    )
    op.drop_index(op.f("ix_creative_event_watch_id"), table_name="creative_event")
    op.create_index("ix_fetch_of_watch", "fetch", ["watch_id", "started_at"])
    op.drop_index(op.f("ix_fetch_watch_id"), table_name="fetch")


def downgrade() -> None:
    """Take this revision back."""
    op.create_index(op.f("ix_fetch_watch_id"), "fetch", ["watch_id"])
    op.drop_index("ix_fetch_of_watch", table_name="fetch")
    op.create_index(op.f("ix_creative_event_watch_id"), "creative_event", ["watch_id"])
    op.drop_index("ix_creative_event_of_watch", table_name="creative_event")
