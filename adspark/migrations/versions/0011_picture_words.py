"""Words that were read from pictures, and searches that find them where no copy was bought."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_SEARCH = "0010"  # which made the function that this one extends

# Of the ad's present version, else of the last one before it that was read.
_READ_WORDS = """
    CREATE FUNCTION read_words_of(ad text) RETURNS SETOF picture_words
    LANGUAGE sql STABLE PARALLEL SAFE AS $body$
        SELECT w.* FROM picture_version v JOIN picture_words w USING (sha256)
            LEFT JOIN creative c USING (ad_creative_id, content_hash)
        WHERE v.ad_creative_id = ad AND w.status = 'read'
        ORDER BY c.ad_creative_id IS NULL, v.first_seen_at DESC, v.id DESC LIMIT 1
    $body$;
"""
_BOUGHT = "        words := coalesce(heads, copy) IS NOT NULL;\n"
_ELSE_READ = """
        IF coalesce(heads, copy) IS NULL THEN
            SELECT headline, nullif(array_to_string(lines, E'\\n'), '') INTO heads, copy
            FROM read_words_of(ad);
        END IF;
"""
_TRIGGERS = """
    CREATE FUNCTION refresh_search_documents_of_picture() RETURNS trigger
    LANGUAGE plpgsql AS $body$
    BEGIN
        PERFORM refresh_search_document(ad_creative_id) FROM (
            SELECT DISTINCT ad_creative_id FROM picture_version
            WHERE sha256 = NEW.sha256 AND status = 'stored' ORDER BY 1
        ) AS showing;
        RETURN NULL;
    END $body$;

    CREATE FUNCTION refresh_search_document_of_version() RETURNS trigger
    LANGUAGE plpgsql AS $body$
    BEGIN
        IF EXISTS (SELECT FROM picture_words WHERE sha256 = NEW.sha256 AND status = 'read') THEN
            PERFORM refresh_search_document(NEW.ad_creative_id);
        END IF;
        RETURN NULL;
    END $body$;

    CREATE FUNCTION delete_search_document_of_version() RETURNS trigger
    LANGUAGE plpgsql AS $body$
    BEGIN
        DELETE FROM search_document s WHERE s.ad_creative_id = OLD.ad_creative_id
            AND NOT EXISTS (SELECT FROM creative c WHERE c.ad_creative_id = s.ad_creative_id)
            AND NOT EXISTS (SELECT FROM creative_detail d WHERE d.ad_creative_id = s.ad_creative_id);
        RETURN NULL;
    END $body$;

    CREATE TRIGGER search_picture AFTER UPDATE OF status ON picture_words
    FOR EACH ROW WHEN (NEW.status = 'read' AND OLD.status <> 'read')
    EXECUTE FUNCTION refresh_search_documents_of_picture();

    CREATE TRIGGER search_version AFTER UPDATE OF status ON picture_version
    FOR EACH ROW WHEN (NEW.status = 'stored' AND OLD.status <> 'stored')
    EXECUTE FUNCTION refresh_search_document_of_version();

    CREATE TRIGGER search_version_deleted AFTER DELETE ON picture_version
    FOR EACH ROW EXECUTE FUNCTION delete_search_document_of_version();

    CREATE TRIGGER search_content AFTER UPDATE OF content_hash ON creative
    FOR EACH ROW WHEN (OLD.content_hash IS DISTINCT FROM NEW.content_hash)
    EXECUTE FUNCTION refresh_changed_search_document();
"""
_REFRESH_ALL = """
    SELECT refresh_search_document(ad_creative_id) FROM search_document ORDER BY ad_creative_id
"""
_DROP = """
    DROP TRIGGER search_content ON creative;
    DROP TRIGGER search_version_deleted ON picture_version;
    DROP TRIGGER search_version ON picture_version;
    DROP TRIGGER search_picture ON picture_words;
    DROP FUNCTION delete_search_document_of_version();
    DROP FUNCTION refresh_search_document_of_version();
    DROP FUNCTION refresh_search_documents_of_picture();
    DROP FUNCTION read_words_of(text);
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    _create_table()
    op.create_index(
        "ix_picture_version_removed",
        "picture_version",
        ["sha256"],
        postgresql_where=sa.text("status = 'removed'"),
    )
    op.execute(_READ_WORDS)
    before = _refresh_function()
    extended = before.replace(_BOUGHT, _ELSE_READ + _BOUGHT)
    assert extended != before
    op.execute(extended)
    op.execute(_TRIGGERS)


def downgrade() -> None:
    """Take this revision back; words that were read are lost, and have to be read again."""
    op.execute(_refresh_function())
    op.execute(_REFRESH_ALL)
    op.execute(_DROP)
    op.drop_index("ix_picture_version_removed", table_name="picture_version")
    op.drop_table("picture_words")


def _refresh_function() -> str:
    """The function that makes a search document, as it was before."""
    made = op.get_context().script.get_revision(_SEARCH).module._REFRESH  # type: ignore[union-attr]
    function, _, _ = made.partition("CREATE FUNCTION refresh_changed_search_document")
    return str(function).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def _create_table() -> None:
    op.create_table(
        "picture_words",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("lines", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("headline", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("script", sa.Text()),
        sa.Column("unread_lines", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("confidence", sa.Float()),
        sa.Column("engine", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_until", _MOMENT),
        sa.Column("failure", sa.Text()),
        sa.Column("seen_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", _MOMENT),
        sa.CheckConstraint(
            "status IN ('pending', 'read', 'failed')", name=op.f("ck_picture_words_status")
        ),
        sa.CheckConstraint(
            "(status = 'read') = (read_at IS NOT NULL)", name=op.f("ck_picture_words_read_at")
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_picture_words_confidence")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_picture_words")),
    )
    op.create_index(
        "ix_picture_words_pending",
        "picture_words",
        ["seen_at", "sha256"],
        postgresql_where=sa.text("status = 'pending'"),
    )
