"""The library: what is searched of an ad, advertisers' domains, and users' tags, titles and notes.

The search document of an ad is made by the database wherever one of its parts is written, so that
nothing has to remember to do it. Upgrades add what the extensions give (adspark/db/extensions.py).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A database in the C locale, as the embedded one, has no lower case beyond ASCII; the first of
# these that the server has, does.
_COLLATIONS = ("pg_c_utf8", "und-x-icu")

# A slash makes a file's name of "Men/Women" for PostgreSQL's parser, in which nobody finds Women.
_FUNCTIONS = """
    CREATE FUNCTION search_words(written text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        to_tsvector('adspark'::regconfig, lower(translate(written, '/\\_', '   ') {collate}));

    CREATE FUNCTION search_query(written text, is_prefix boolean) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE
        WHEN NOT is_prefix OR numnode(phraseto_tsquery('adspark'::regconfig,
            lower(translate(written, '/\\_', '   ') {collate}))) = 0
        THEN phraseto_tsquery('adspark'::regconfig,
            lower(translate(written, '/\\_', '   ') {collate}))
        ELSE (phraseto_tsquery('adspark'::regconfig,
            lower(translate(written, '/\\_', '   ') {collate}))::text || ':*')::tsquery
    END;

    CREATE FUNCTION search_domain(domain text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        search_words(domain || ' ' || regexp_replace(domain, '^www[.]', '') || ' '
            || translate(domain, '.-', '  '));
"""

# Weights: A headlines, B other copy, C the advertiser, D domains, landing page and tags. Advertiser
# and tags are keys, not words: a search looks up whose names match, so that a new name is found at
# once, and costs nothing here. The row is locked so that of two changes at once the later one sees
# both. The bounds keep a document below the megabyte that it may have.
_REFRESH = """
    CREATE FUNCTION refresh_search_document(ad text) RETURNS void LANGUAGE plpgsql AS $body$
    DECLARE
        subject record; heads text; copy text; places text; made tsvector; words boolean;
    BEGIN
        SELECT c.advertiser_id, c.target_domain INTO subject FROM creative c
        WHERE c.ad_creative_id = ad FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        SELECT string_agg(DISTINCT part, E'\\n') FILTER (WHERE kind = 'A'),
            string_agg(DISTINCT part, E'\\n') FILTER (WHERE kind = 'B'),
            string_agg(DISTINCT part, E'\\n') FILTER (WHERE kind = 'D')
        INTO heads, copy, places
        FROM creative_detail d CROSS JOIN LATERAL (
            VALUES ('A', d.headline), ('B', d.snippet), ('B', d.call_to_action), (
                'D', translate(d.landing_url, '?&=#%.-', '       ') || ' '
                    || coalesce(substring(d.landing_url FROM '^https?://([^/?#:]+)'), '') || ' '
                    || coalesce(substring(d.landing_url FROM '^https?://www[.]([^/?#:]+)'), '')
            )
            UNION ALL
            SELECT CASE WHEN field LIKE '%head%' OR field = 'title' THEN 'A'
                        WHEN field = 'visible_link' THEN 'D' ELSE 'B' END, v ->> field
            FROM jsonb_array_elements(d.variations) AS v, unnest(ARRAY[
                'title', 'headline', 'long_headline', 'snippet', 'call_to_action', 'visible_link'
            ]) AS field
            UNION ALL
            SELECT 'B', link FROM jsonb_array_elements(d.variations) AS v,
                unnest(ARRAY['sitelink_texts', 'sitelink_descriptions']) AS field,
                jsonb_array_elements_text(coalesce(v -> field, '[]')) AS link
        ) AS parts (kind, part)
        WHERE d.ad_creative_id = ad AND d.answered_at IS NOT NULL;
        words := coalesce(heads, copy) IS NOT NULL;
        made := setweight(search_words(left(coalesce(heads, ''), 10000)), 'A')
            || setweight(search_words(left(coalesce(copy, ''), 50000)), 'B')
            || setweight(search_words(subject.advertiser_id), 'C')
            || search_domain(coalesce(subject.target_domain, ''))
            || search_words(left(coalesce(places, ''), 10000))
            || array_to_tsvector(ARRAY(
                SELECT 'user' || user_id || '/' || tag FROM creative_tag WHERE ad_creative_id = ad
            ));
        IF NOT words AND places IS NULL
            AND NOT EXISTS (SELECT FROM creative_tag WHERE ad_creative_id = ad)
        THEN
            DELETE FROM search_document WHERE ad_creative_id = ad;
            RETURN;
        END IF;
        INSERT INTO search_document AS s (ad_creative_id, document, has_words)
        VALUES (ad, made, words)
        ON CONFLICT (ad_creative_id) DO UPDATE
        SET document = excluded.document, has_words = excluded.has_words
        WHERE (s.document, s.has_words) IS DISTINCT FROM (excluded.document, excluded.has_words);
        INSERT INTO search_word (word)
        SELECT lexeme FROM unnest(made)
        WHERE weights && '{A,B}' AND char_length(lexeme) BETWEEN 4 AND 30
            AND lexeme !~ '[0-9[:punct:]]'
            AND NOT EXISTS (SELECT FROM search_word k WHERE k.word = lexeme)
        ORDER BY lexeme ON CONFLICT DO NOTHING;
    END $body$;

    CREATE FUNCTION refresh_changed_search_document() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            PERFORM refresh_search_document(OLD.ad_creative_id);
        ELSIF TG_TABLE_NAME <> 'creative'
            OR EXISTS (SELECT FROM search_document WHERE ad_creative_id = NEW.ad_creative_id)
        THEN
            PERFORM refresh_search_document(NEW.ad_creative_id);
        END IF;
        RETURN NULL;
    END $body$;

    CREATE FUNCTION delete_search_document() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        DELETE FROM search_document WHERE ad_creative_id = OLD.ad_creative_id;
        RETURN NULL;
    END $body$;
"""
# The details of an ad are deleted after the ad, whose document stays till then: it may come back.
_TRIGGERS = """
    CREATE TRIGGER search_detail AFTER INSERT OR UPDATE OF
        headline, snippet, call_to_action, landing_url, variations, answered_at ON creative_detail
    FOR EACH ROW EXECUTE FUNCTION refresh_changed_search_document();

    CREATE TRIGGER search_detail_deleted AFTER DELETE ON creative_detail
    FOR EACH ROW EXECUTE FUNCTION delete_search_document();

    CREATE TRIGGER search_tag AFTER INSERT OR DELETE ON creative_tag
    FOR EACH ROW EXECUTE FUNCTION refresh_changed_search_document();

    CREATE TRIGGER search_creative AFTER UPDATE OF advertiser_id, target_domain ON creative
    FOR EACH ROW WHEN (
        (OLD.advertiser_id, OLD.target_domain)
        IS DISTINCT FROM (NEW.advertiser_id, NEW.target_domain)
    ) EXECUTE FUNCTION refresh_changed_search_document();
"""
_FILL = """
    INSERT INTO advertiser_domain (domain, advertiser_id)
    SELECT DISTINCT target_domain, advertiser_id FROM creative WHERE target_domain IS NOT NULL;

    SELECT refresh_search_document(ad_creative_id) FROM creative_detail
    WHERE answered_at IS NOT NULL ORDER BY ad_creative_id;
"""
_DROP = """
    DROP TRIGGER search_detail ON creative_detail;
    DROP TRIGGER search_detail_deleted ON creative_detail;
    DROP TRIGGER search_creative ON creative;
"""
_DROP_FUNCTIONS = """
    DROP FUNCTION delete_search_document();
    DROP FUNCTION refresh_changed_search_document();
    DROP FUNCTION refresh_search_document(text);
    DROP FUNCTION search_domain(text);
    DROP FUNCTION search_query(text, boolean);
    DROP FUNCTION search_words(text);
    DROP TEXT SEARCH CONFIGURATION adspark;
"""


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute("CREATE TEXT SEARCH CONFIGURATION adspark (COPY = simple)")
    op.execute(_FUNCTIONS.format(collate=_collate()))
    _create_tables()
    op.execute(_REFRESH)
    op.execute(_TRIGGERS)
    op.execute(_FILL)


def downgrade() -> None:
    """Take this revision back; users' tags, titles and notes are lost."""
    op.execute(_DROP)
    op.drop_index("ix_search_advertiser_name", table_name="advertiser")
    op.execute("DROP INDEX IF EXISTS ix_trigram_advertiser_name")
    for table in ("creative_note", "creative_tag", "advertiser_domain"):
        op.drop_table(table)
    for table in ("search_word", "search_document"):
        op.drop_table(table)
    op.execute(_DROP_FUNCTIONS)


def _collate() -> str:
    known = sa.text(
        "SELECT collname FROM pg_collation WHERE collname = ANY (:names) "
        "AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))"
    )
    found = set(op.get_bind().scalars(known, {"names": list(_COLLATIONS)}))
    best = next((name for name in _COLLATIONS if name in found), None)
    return f'COLLATE "{best}"' if best else ""


def _create_tables() -> None:
    op.create_table(
        "search_document",
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document", postgresql.TSVECTOR(), nullable=False),
        sa.Column("has_words", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ad_creative_id", name=op.f("pk_search_document")),
    )
    op.create_index(
        op.f("ix_search_document_document"), "search_document", ["document"], postgresql_using="gin"
    )
    op.create_index(op.f("ix_search_document_number"), "search_document", ["number"])
    op.create_table(
        "search_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
    )
    op.create_table(
        "advertiser_domain",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("advertiser_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["advertiser_id"],
            ["advertiser.advertiser_id"],
            name=op.f("fk_advertiser_domain_advertiser_id_advertiser"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("domain", "advertiser_id", name=op.f("pk_advertiser_domain")),
    )
    op.create_index(
        op.f("ix_advertiser_domain_advertiser_id"), "advertiser_domain", ["advertiser_id"]
    )
    _create_marks()
    for name, table, words in (
        ("ix_search_advertiser_name", "advertiser", "search_words(name)"),
        ("ix_search_advertiser_domain", "advertiser_domain", "search_domain(domain)"),
    ):
        op.create_index(name, table, [sa.text(words)], postgresql_using="gin")


def _create_marks() -> None:
    """What users write on an ad: tags, and a title and a note."""
    for table, columns, key in (
        ("creative_tag", [sa.Column("tag", sa.Text(), nullable=False)], ["tag"]),
        ("creative_note", [sa.Column("title", sa.Text()), sa.Column("note", sa.Text())], []),
    ):
        op.create_table(
            table,
            sa.Column("user_id", sa.Integer(), nullable=False),
            sa.Column("ad_creative_id", sa.Text(), nullable=False),
            *columns,
            sa.Column(
                "created_at",
                sa.DateTime(timezone=True),
                server_default=sa.text("now()"),
                nullable=False,
            ),
            sa.ForeignKeyConstraint(
                ["ad_creative_id"],
                ["creative.ad_creative_id"],
                name=op.f(f"fk_{table}_ad_creative_id_creative"),
            ),
            sa.PrimaryKeyConstraint("user_id", *key, "ad_creative_id", name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_ad_creative_id"), table, ["ad_creative_id"])
