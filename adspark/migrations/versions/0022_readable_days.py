"""Days of ads that Python can read: neither infinite, nor outside its years."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_DAYS = {
    "creative": ("first_shown", "last_shown"),
    "watch_creative": ("last_shown",),
    "creative_region": ("first_shown", "last_shown"),
}


def upgrade() -> None:
    """Bring the schema to this revision; days that nothing can read are emptied."""
    for table, columns in _DAYS.items():
        for column in columns:
            is_readable = f"{column} >= '0001-01-01 00:00+00' AND {column} < '10000-01-01 00:00+00'"
            op.execute(f"UPDATE {table} SET {column} = NULL WHERE NOT ({is_readable})")  # noqa: S608
            op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, is_readable)


def downgrade() -> None:
    """Take this revision back."""
    for table, columns in _DAYS.items():
        for column in columns:
            op.drop_constraint(op.f(f"ck_{table}_{column}"), table)
