"""At most one fetch of a search is running for each watch, or for none."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_INDEX = "ix_fetch_running"


def upgrade() -> None:
    """Bring the schema to this revision; of several that are running, the newest stays so."""
    op.execute("""
        UPDATE "fetch" AS f SET status = 'abandoned', error = 'Its run ended without saying so.'
        WHERE status = 'running' AND NOT is_dry_run AND EXISTS (
            SELECT FROM "fetch" AS later
            WHERE later.query_hash = f.query_hash
                AND later.watch_id IS NOT DISTINCT FROM f.watch_id
                AND later.status = 'running' AND NOT later.is_dry_run
                AND (later.started_at, later.id) > (f.started_at, f.id)
        )
    """)
    op.create_index(
        _INDEX,
        "fetch",
        ["query_hash", "watch_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("status = 'running' AND NOT is_dry_run"),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(_INDEX, "fetch")
