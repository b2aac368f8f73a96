"""Which ads hold the words of a search: looked up in names, domains and tags, then put into SQL.

An ad's document holds the words of its copy and domains, and as keys its advertiser and its tags.
So a word is first looked up among the names of advertisers and the tags that the user sees, and the
keys of those that have it are searched as its alternatives. An ad of which nothing else is known
has no document; its advertiser and its domain have to hold all words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.extensions import READ_EXTENSIONS, describe_missing
from adspark.library.query_text import Term
from adspark.library.sharing import VISIBLE_TAGS

MOST_ALTERNATIVES = 1000
"""Advertisers, or domains, whose names may hold a word; of more, the ones last seen are taken."""

# Advertisers and tags from which on an index of words would be slower than a look at each ad that
# has the other words.
_BROAD = 20

_LOOK_UP = text(f"""
    SELECT search_query(t.text, t.is_prefix)::text AS query, ARRAY(
        SELECT advertiser_id FROM advertiser a
        WHERE search_words(a.name) @@ search_query(t.text, t.is_prefix)
        ORDER BY last_seen_at DESC NULLS LAST, advertiser_id LIMIT :most
    ) AS advertisers, ARRAY(
        SELECT DISTINCT domain FROM advertiser_domain d
        WHERE search_domain(d.domain) @@ search_query(t.text, t.is_prefix) LIMIT :most
    ) AS domains, ARRAY(
        SELECT 'user' || v.user_id || '/' || v.tag FROM ({VISIBLE_TAGS}) AS v
        WHERE search_words(v.tag) @@ search_query(t.text, t.is_prefix)
    ) AS tags
    FROM unnest(CAST(:texts AS text[]), CAST(:prefixes AS boolean[]))
        WITH ORDINALITY AS t (text, is_prefix, place)
    ORDER BY t.place
""")  # noqa: S608  (put together from a constant)
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


@dataclass(frozen=True)
class Alternatives:
    """A term as the database searches it: its own query, and what has it in its name."""

    query: str
    advertisers: list[str]
    domains: list[str]
    tags: list[str]
    is_excluded: bool

    def in_document(self, *, with_advertisers: bool = True) -> str:
        """The term in the syntax of `tsquery`; by itself where the advertisers are left out."""
        keys = [one.lower() for one in self.advertisers] if with_advertisers else []
        return " | ".join([f"({self.query})", *map(_quote, [*keys, *self.tags])])

    @property
    def is_broad(self) -> bool:
        """Whether so many advertisers have it that an ad's own is looked at instead."""
        return len(self.advertisers) > _BROAD

    @property
    def is_in_names(self) -> bool:
        """Whether any advertiser or domain has it."""
        return bool(self.advertisers or self.domains)


@dataclass(frozen=True)
class TextCondition:
    """The words of a search as conditions on `c`, the creative, and `s`, its document.

    Attributes:
        with_document: of ads with one; None where the words are only such as must not be there.
        without_document: of ads without; None where none of them can have the words.
        values: of the conditions' parameters, and `words`, by which an ad's document is ranked.
    """

    with_document: str | None
    without_document: str | None
    values: dict[str, object] = field(default_factory=dict)

    @property
    def has_phrase(self) -> bool:
        """Whether words have to follow each other."""
        return "<->" in str(self.values.get("query", ""))


async def look_up_terms(
    session: AsyncSession, *, terms: Sequence[Term], user_id: int
) -> list[Alternatives]:
    """What the database searches for each term that holds a word.

    Args:
        session: of the database.
        terms: of the search.
        user_id: whose tags count, beside those that are shared.
    """
    values = {
        "texts": [term.text for term in terms],
        "prefixes": [term.is_prefix for term in terms],
        "user_id": user_id,
        "most": MOST_ALTERNATIVES,
    }
    rows = (await session.execute(_LOOK_UP, values)).mappings().all()
    return [
        Alternatives(**row, is_excluded=term.is_excluded)
        for term, row in zip(terms, rows, strict=True)
        if row["query"]
    ]


def text_condition(found: Sequence[Alternatives]) -> TextCondition:
    """The conditions that an ad fulfils which has all terms, and none of the excluded ones."""
    wanted = [one for one in found if not one.is_excluded]
    values: dict[str, object] = {}
    names = [_in_names(one, place, values) for place, one in enumerate(found)]
    if not wanted:
        values["query"] = " | ".join(f"({one.in_document()})" for one in found)
        names.append(
            "NOT EXISTS (SELECT FROM search_document x WHERE "
            "x.ad_creative_id = c.ad_creative_id AND x.document @@ CAST(:query AS tsquery))"
        )
        return TextCondition(None, " AND ".join(names), values)
    indexed = [one for one in wanted if not one.is_broad] or wanted
    parts = ["s.document @@ CAST(:query AS tsquery)"]
    values["query"] = " & ".join(f"({one.in_document()})" for one in indexed)
    values["words"] = " | ".join(f"({one.query})" for one in wanted)
    for place, one in enumerate(found):
        if one not in indexed:
            parts.append(_in_ad(one, place, values))
    can_match = all(one.is_in_names for one in wanted)
    return TextCondition(" AND ".join(parts), " AND ".join(names) if can_match else None, values)


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


def _in_ad(one: Alternatives, place: int, values: dict[str, object]) -> str:
    """That the document, or the advertiser, of an ad at hand has the term, or has not."""
    values[f"query_{place}"] = one.in_document(with_advertisers=False)
    has = f"s.document @@ CAST(:query_{place} AS tsquery)"
    if one.advertisers:
        has += f" OR c.advertiser_id = ANY (CAST(:advertiser_id_{place} AS text[]))"
    return f"({has}) IS NOT TRUE" if one.is_excluded else f"({has})"


def _in_names(one: Alternatives, place: int, values: dict[str, object]) -> str:
    """That the advertiser or the domain of `c` has the term, or has not where it is excluded."""
    parts = ["false"]
    for column, names in (("advertiser_id", one.advertisers), ("target_domain", one.domains)):
        if names:
            values[f"{column}_{place}"] = names
            parts.append(f"c.{column} = ANY (CAST(:{column}_{place} AS text[]))")
    has = " OR ".join(parts)
    return f"({has}) IS NOT TRUE" if one.is_excluded else f"({has})"


def _quote(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
