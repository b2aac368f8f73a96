"""Reasons of a review, from a list."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_REASONS = """
    reasons <@ ARRAY['fits_brand', 'clear_copy', 'strong_picture', 'off_brand', 'unclear_copy',
        'wrong_claim', 'poor_picture', 'ignores_prompt']
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    none = sa.text("'{}'")
    reasons = sa.Column[Any]("reasons", ARRAY(sa.Text), nullable=False, server_default=none)
    op.add_column("variant_feedback", reasons)
    name = op.f("ck_variant_feedback_reasons")
    op.create_check_constraint(name, "variant_feedback", _REASONS)


def downgrade() -> None:
    """Take this revision back; the reasons are lost."""
    op.drop_column("variant_feedback", "reasons")
