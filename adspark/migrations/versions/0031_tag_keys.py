"""Tags as keys of an ad's document begin with a slash, which no word that is searched for has.

Before, `user2*` found the ads that user 2 has tagged, whoever searched.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_WAS = "'user' || user_id || '/' || tag"
_IS = "'/' || user_id || '/' || tag"


def upgrade() -> None:
    """Bring the schema to this revision."""
    _replace(_WAS, _IS)


def downgrade() -> None:
    """Take this revision back."""
    _replace(_IS, _WAS)


def _replace(was: str, now: str) -> None:
    """Change the function that writes documents, and write those of tagged ads anew."""
    read = sa.text("SELECT pg_get_functiondef('refresh_search_document(text)'::regprocedure)")
    before = op.get_bind().execute(read).scalar_one()
    after = before.replace(was, now)
    assert after != before
    op.execute(after)
    op.execute(
        "SELECT refresh_search_document(ad_creative_id) FROM ("
        "SELECT DISTINCT ad_creative_id FROM creative_tag ORDER BY 1) AS tagged"
    )
