"""Misspelled words: the nearest known ones, where the database has pg_trgm."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.extensions import READ_EXTENSIONS, describe_missing
from adspark.library.search.query_text import Term

LOOSEN = text("SELECT set_config('pg_trgm.word_similarity_threshold', '0.45', true)")
"""For the transaction: how alike a part of a name has to be; a letter less in eight still is."""

# The nearest words, and the words of the nearest names and domains, most alike first.
_NEAREST = text("""
    SELECT t.place, n.word FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY AS t (text, place)
    CROSS JOIN LATERAL (
        (SELECT word, similarity(word, lower(t.text)) AS nearness FROM search_word
         WHERE word % lower(t.text) ORDER BY nearness DESC, word LIMIT 1)
        UNION ALL
        (SELECT w.word, similarity(w.word, lower(t.text)) FROM (
            SELECT name FROM advertiser WHERE lower(t.text) <% lower(name)
            ORDER BY word_similarity(lower(t.text), lower(name)) DESC, name LIMIT 5
         ) AS a, unnest(tsvector_to_array(search_words(a.name))) AS w (word)
         WHERE w.word % lower(t.text))
        UNION ALL
        (SELECT w.word, similarity(w.word, lower(t.text)) FROM (
            SELECT domain FROM advertiser_domain WHERE lower(t.text) <% domain
            ORDER BY word_similarity(lower(t.text), domain) DESC, domain LIMIT 5
         ) AS d, unnest(tsvector_to_array(search_domain(d.domain))) AS w (word)
         WHERE w.word % lower(t.text))
    ) AS n
    ORDER BY t.place, n.nearness DESC, n.word
""")


async def correct_terms(session: AsyncSession, *, terms: Sequence[Term]) -> tuple[Term, ...] | None:
    """The terms with the nearest known word in place of each single word; None: nothing is near.

    What is excluded, a prefix or a phrase is left as it is.
    """
    single = [
        place
        for place, term in enumerate(terms)
        if not (term.is_excluded or term.is_prefix or term.is_phrase)
    ]
    texts = [terms[place].text for place in single]
    corrected = list(terms)
    await session.execute(LOOSEN)
    nearest: dict[int, str] = {}
    for row in await session.execute(_NEAREST, {"texts": texts}):
        nearest.setdefault(single[row.place - 1], row.word)
    for place, word in nearest.items():
        corrected[place] = replace(terms[place], text=word)
    return tuple(corrected) if corrected != list(terms) else None


async def missing_extensions(session: AsyncSession) -> dict[str, str]:
    """The extensions that the search does without, each with a line on what to do."""
    return describe_missing((await session.execute(READ_EXTENSIONS)).mappings())
