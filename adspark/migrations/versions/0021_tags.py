"""Tags that differ in case only are one tag; searches by landing page and by change."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_SEARCH = "0010"  # which knows the collation with a lower case for all letters

_KEY = """
    CREATE FUNCTION tag_key(tag text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN lower(tag {collate});
"""
# Without `www.`, as domains are searched.
_LANDING_HOST = (
    "regexp_replace(substring(lower(landing_url) FROM '^https?://([^/?#:]+)'), '^www[.]', '')"
)
# The spelling that most ads have, else the first one, is kept. Merged tags are shared where each of
# them was, so that nothing of a user's own is shown to others unasked.
_MERGE = """
    INSERT INTO user_tag (user_id, tag, created_at)
    SELECT DISTINCT ON (user_id, tag_key(tag)) user_id, tag,
        min(since) OVER (PARTITION BY user_id, tag_key(tag))
    FROM (
        SELECT user_id, tag, count(*) AS ads, min(created_at) AS since FROM creative_tag
        GROUP BY user_id, tag
    ) AS used ORDER BY user_id, tag_key(tag), ads DESC, since, tag;

    DELETE FROM shared_tag s WHERE NOT EXISTS (
        SELECT FROM creative_tag t WHERE (t.user_id, t.tag) = (s.user_id, s.tag)
    ) OR EXISTS (
        SELECT FROM creative_tag t
        WHERE t.user_id = s.user_id AND tag_key(t.tag) = tag_key(s.tag) AND NOT EXISTS (
            SELECT FROM shared_tag o WHERE (o.user_id, o.tag) = (t.user_id, t.tag)
        )
    );
    DELETE FROM shared_tag s
    WHERE NOT EXISTS (SELECT FROM user_tag k WHERE (k.user_id, k.tag) = (s.user_id, s.tag));

    INSERT INTO creative_tag (user_id, tag, ad_creative_id, created_at)
    SELECT k.user_id, k.tag, t.ad_creative_id, min(t.created_at)
    FROM creative_tag t JOIN user_tag k
        ON k.user_id = t.user_id AND tag_key(k.tag) = tag_key(t.tag) AND k.tag <> t.tag
    GROUP BY 1, 2, 3 ORDER BY 3 ON CONFLICT DO NOTHING;

    DELETE FROM creative_tag t USING user_tag k
    WHERE k.user_id = t.user_id AND tag_key(k.tag) = tag_key(t.tag) AND k.tag <> t.tag;
"""
# A tag is written as its user wrote it first; so a program of the last version may go on.
_SPELL = """
    CREATE FUNCTION spell_tag() RETURNS trigger LANGUAGE plpgsql AS $body$
    DECLARE
        kept text;
    BEGIN
        LOOP  -- until neither another transaction nor a deletion comes between
            INSERT INTO user_tag (user_id, tag) VALUES (NEW.user_id, NEW.tag)
            ON CONFLICT DO NOTHING;
            SELECT k.tag INTO kept FROM user_tag k
            WHERE k.user_id = NEW.user_id AND tag_key(k.tag) = tag_key(NEW.tag) FOR KEY SHARE;
            EXIT WHEN FOUND;
        END LOOP;
        NEW.tag := kept;
        RETURN NEW;
    END $body$;

    CREATE TRIGGER tag_spelling BEFORE INSERT ON creative_tag
    FOR EACH ROW EXECUTE FUNCTION spell_tag();
"""
_DROP = """
    DROP TRIGGER tag_spelling ON creative_tag;
    DROP FUNCTION spell_tag();
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    search: Any = op.get_context().script.get_revision(_SEARCH).module  # type: ignore[union-attr]
    op.execute(_KEY.format(collate=search._collate()))
    op.create_table(
        "user_tag",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("user_id", "tag", name=op.f("pk_user_tag")),
    )
    op.create_index(
        "uq_user_tag_key", "user_tag", ["user_id", sa.text("tag_key(tag)")], unique=True
    )
    op.execute(_MERGE)
    for table, ondelete in (("creative_tag", None), ("shared_tag", "CASCADE")):
        op.create_foreign_key(
            op.f(f"fk_{table}_user_id_user_tag"),
            table,
            "user_tag",
            ["user_id", "tag"],
            ["user_id", "tag"],
            ondelete=ondelete,
        )
    op.execute(_SPELL)
    op.create_index(
        "ix_creative_event_changed",
        "creative_event",
        ["occurred_at", "ad_creative_id"],
        postgresql_where=sa.text("kind = 'changed'"),
    )
    _find_domains()


def downgrade() -> None:
    """Take this revision back; tags that were merged stay one."""
    op.create_index(op.f("ix_creative_target_domain"), "creative", ["target_domain"])
    op.drop_index("ix_creative_domain", table_name="creative")
    op.drop_column("creative_detail", "landing_host")
    op.drop_index("ix_creative_event_changed", table_name="creative_event")
    op.execute(_DROP)
    for table in ("creative_tag", "shared_tag"):
        op.drop_constraint(op.f(f"fk_{table}_user_id_user_tag"), table)
    op.drop_table("user_tag")
    op.execute("DROP FUNCTION tag_key(text)")


def _find_domains() -> None:
    """Indexes from which the ads that lead to a domain are known without their rows."""
    host = sa.Column("landing_host", sa.Text(), sa.Computed(_LANDING_HOST, persisted=True))
    op.add_column("creative_detail", host)
    for name, table, column in (
        ("ix_creative_detail_landing_host", "creative_detail", "landing_host"),
        ("ix_creative_domain", "creative", "target_domain"),
    ):
        op.create_index(name, table, [column], postgresql_include=["ad_creative_id"])
    op.drop_index(op.f("ix_creative_target_domain"), table_name="creative")
