"""Searches by longest run, region, title and note; picture versions without leases."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SEARCH_NOTE = """
    CREATE FUNCTION search_note(title text, note text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        search_words(coalesce(title, '') || ' ' || coalesce(note, ''));
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index("ix_creative_days_running", "creative", [sa.text("(last_shown - first_shown)")])
    op.create_index(
        "ix_creative_newest",
        "creative",
        ["first_shown", "ad_creative_id"],
        postgresql_include=["format"],
    )
    op.drop_index("ix_creative_first_shown_last_shown", table_name="creative")
    op.create_index("ix_creative_regions", "creative", ["regions"], postgresql_using="gin")
    op.create_index(op.f("ix_creative_region_region"), "creative_region", ["region"])
    op.execute(_SEARCH_NOTE)
    op.create_index(
        "ix_search_creative_note",
        "creative_note",
        [sa.text("search_note(title, note)")],
        postgresql_using="gin",
    )
    # How often a word occurs decides how it is looked up, and there are many words.
    op.execute("ALTER TABLE search_document ALTER COLUMN document SET STATISTICS 400")
    op.drop_column("picture_version", "lease_until")


def downgrade() -> None:
    """Take this revision back."""
    op.add_column("picture_version", sa.Column("lease_until", sa.DateTime(timezone=True)))
    op.execute("ALTER TABLE search_document ALTER COLUMN document SET STATISTICS -1")
    op.drop_index("ix_search_creative_note", table_name="creative_note")
    op.execute("DROP FUNCTION search_note(text, text)")
    op.drop_index(op.f("ix_creative_region_region"), table_name="creative_region")
    op.create_index(
        op.f("ix_creative_first_shown_last_shown"), "creative", ["first_shown", "last_shown"]
    )
    op.drop_index("ix_creative_newest", table_name="creative")
    op.drop_index("ix_creative_regions", table_name="creative")
    op.drop_index("ix_creative_days_running", table_name="creative")
