"""The archive: every version of a creative's picture, and how far its archiving is."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "picture_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source_url", sa.Text()),
        sa.Column("is_preview", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("path", sa.Text()),
        sa.Column("thumbnail_path", sa.Text()),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("perceptual_hash", sa.Text()),
        sa.Column("picture_bytes", sa.Integer()),
        sa.Column("thumbnail_bytes", sa.Integer()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_until", _MOMENT),
        sa.Column("failure", sa.Text()),
        sa.Column("first_seen_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("stored_at", _MOMENT),
        sa.CheckConstraint(
            "status IN ('pending', 'stored', 'failed', 'removed')",
            name=op.f("ck_picture_version_status"),
        ),
        sa.CheckConstraint(
            "(status = 'stored') = (path IS NOT NULL AND thumbnail_path IS NOT NULL)",
            name=op.f("ck_picture_version_path"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_version")),
        sa.UniqueConstraint(
            "ad_creative_id",
            "content_hash",
            name=op.f("uq_picture_version_ad_creative_id_content_hash"),
        ),
    )
    op.create_index(
        "ix_picture_version_pending",
        "picture_version",
        ["first_seen_at", "id"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_picture_version_stored",
        "picture_version",
        ["sha256"],
        postgresql_where=sa.text("status = 'stored'"),
        postgresql_include=["picture_bytes", "thumbnail_bytes"],
    )
    op.create_index(
        "ix_picture_version_oldest",
        "picture_version",
        ["stored_at", "id"],
        postgresql_where=sa.text("status = 'stored'"),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("picture_version")
