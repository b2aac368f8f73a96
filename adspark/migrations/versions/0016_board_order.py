"""Ads on a board in an order of the user's, with notes; links to boards that expire."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBER = """
    UPDATE board_creative b SET place = o.place
    FROM (SELECT board_id, ad_creative_id, row_number() OVER (
            PARTITION BY board_id ORDER BY added_at DESC, ad_creative_id) AS place
          FROM board_creative) AS o
    WHERE (b.board_id, b.ad_creative_id) = (o.board_id, o.ad_creative_id)
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    zero = sa.text("0")
    op.add_column(
        "board_creative", sa.Column("place", sa.Integer, nullable=False, server_default=zero)
    )
    op.add_column("board_creative", sa.Column("note", sa.Text))
    op.execute(_NUMBER)
    moment = sa.DateTime(timezone=True)
    now = sa.text("now()")
    op.create_table(
        "board_link",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column(
            "board_id",
            sa.Integer,
            sa.ForeignKey("board.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", moment, nullable=False, server_default=now),
        sa.Column("expires_at", moment, nullable=False),
    )


def downgrade() -> None:
    """Take this revision back; notes and order are lost, and links lead nowhere."""
    op.drop_table("board_link")
    op.drop_column("board_creative", "note")
    op.drop_column("board_creative", "place")
