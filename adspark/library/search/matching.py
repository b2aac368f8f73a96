"""Which ads hold the words of a search: looked up in names, tags and notes, then put into SQL.

An ad's document holds the words of its copy and domains, and as keys its advertiser and its tags.
So a word is first looked up among the names of advertisers and the tags that the user sees, and the
keys of those that have it are searched as its alternatives. An ad of which nothing else is known
has no document; its advertiser and its domain have to hold all words. Of the ads of which a title
or note that the user sees has one of the words, each is looked at by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.marks.sharing import SEES_NOTE, VISIBLE_TAGS
from adspark.library.search.query_text import Term

MOST_ALTERNATIVES = 1000
"""Advertisers, or domains, whose names may hold a word; of more, the ones last seen are taken."""

# Advertisers and tags from which on an index of words would be slower than a look at each ad that
# has the other words.
_BROAD = 20

_NOT_NOTED = "c.ad_creative_id <> ALL (CAST(:noted AS text[]))"
_LOOK_UP = text(f"""
    SELECT search_query(t.text, t.is_prefix)::text AS query, ARRAY(
        SELECT advertiser_id FROM advertiser a
        WHERE search_words(a.name) @@ search_query(t.text, t.is_prefix)
        ORDER BY last_seen_at DESC NULLS LAST, advertiser_id LIMIT :most
    ) AS advertisers, ARRAY(
        SELECT DISTINCT domain FROM advertiser_domain d
        WHERE search_domain(d.domain) @@ search_query(t.text, t.is_prefix) LIMIT :most
    ) AS domains, ARRAY(
        SELECT '/' || v.user_id || '/' || v.tag FROM ({VISIBLE_TAGS}) AS v
        WHERE search_words(v.tag) @@ search_query(t.text, t.is_prefix)
    ) AS tags, ARRAY(
        SELECT ad_creative_id FROM creative_note n CROSS JOIN LATERAL (
            SELECT search_query(t.text, t.is_prefix)
        ) AS q (query)
        WHERE search_note(title, note) @@ query AND {SEES_NOTE}
        ORDER BY created_at DESC, ad_creative_id LIMIT :most
    ) AS noted
    FROM unnest(CAST(:texts AS text[]), CAST(:prefixes AS boolean[]))
        WITH ORDINALITY AS t (text, is_prefix, place)
    ORDER BY t.place
""")  # noqa: S608  (put together from constants)


@dataclass(frozen=True)
class Alternatives:
    """A term, or several of which one is enough, as the database searches it.

    Its own query, what has it in its name, and the ads that have it in their title or note.
    """

    query: str
    advertisers: list[str]
    domains: list[str]
    tags: list[str]
    noted: list[str]
    is_excluded: bool

    def or_else(self, other: "Alternatives") -> "Alternatives":
        """What has this or the other."""
        return Alternatives(
            query=f"({self.query}) | ({other.query})",
            advertisers=_merge(self.advertisers, other.advertisers),
            domains=_merge(self.domains, other.domains),
            tags=_merge(self.tags, other.tags),
            noted=_merge(self.noted, other.noted),
            is_excluded=self.is_excluded,
        )

    def in_document(self, *, with_advertisers: bool = True) -> str:
        """The term in the syntax of `tsquery`; by itself where the advertisers are left out."""
        keys = [one.lower() for one in self.advertisers] if with_advertisers else []
        return " | ".join([f"({self.query})", *map(quote_lexeme, [*keys, *self.tags])])

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
        noted: of the ads that have a word in their title or note, which the others leave out; `s`
            may be NULL. None where there are none.
        values: of the conditions' parameters, and `words`, by which an ad's document is ranked.
    """

    with_document: str | None
    without_document: str | None
    noted: str | None = None
    values: dict[str, object] = field(default_factory=dict)

    @property
    def has_phrase(self) -> bool:
        """Whether words have to follow each other."""
        return "<->" in str(self.values.get("query", ""))


async def look_up_terms(
    session: AsyncSession, *, terms: Sequence[Term], user_id: int
) -> list[Alternatives]:
    """What the database searches for each term that holds a word, alternatives together.

    Args:
        terms: of the search.
        user_id: whose tags, titles and notes count, beside those that are shared.
    """
    values = {
        "texts": [term.text for term in terms],
        "prefixes": [term.is_prefix for term in terms],
        "user_id": user_id,
        "most": MOST_ALTERNATIVES,
    }
    rows = (await session.execute(_LOOK_UP, values)).mappings().all()
    groups: list[list[Alternatives]] = []
    for term, row in zip(terms, rows, strict=True):
        if not (term.is_alternative and groups):
            groups.append([])
        if row["query"]:
            groups[-1].append(Alternatives(**row, is_excluded=term.is_excluded))
    return [reduce(Alternatives.or_else, group) for group in groups if group]


def text_condition(found: Sequence[Alternatives]) -> TextCondition:
    """The conditions that an ad fulfils which has all terms, and none of the excluded ones."""
    wanted = [one for one in found if not one.is_excluded]
    values: dict[str, object] = {}
    names = [_in_names(one, place, values) for place, one in enumerate(found)]
    anywhere = _anywhere(found, values)
    if anywhere:
        names.append(_NOT_NOTED)
    if not wanted:
        values["query"] = " | ".join(f"({one.in_document()})" for one in found)
        names.append(
            "NOT EXISTS (SELECT FROM search_document x WHERE "
            "x.ad_creative_id = c.ad_creative_id AND x.document @@ CAST(:query AS tsquery))"
        )
        return TextCondition(None, " AND ".join(names), values=values)
    indexed = [one for one in wanted if not one.is_broad] or wanted
    parts = ["s.document @@ CAST(:query AS tsquery)"]
    values["query"] = " & ".join(f"({one.in_document()})" for one in indexed)
    values["words"] = " | ".join(f"({one.query})" for one in wanted)
    for place, one in enumerate(found):
        if one not in indexed:
            parts.append(_in_ad(one, place, values))
    if anywhere:
        parts.append(_NOT_NOTED)
    can_match = all(one.is_in_names for one in wanted)
    without_document = " AND ".join(names) if can_match else None
    return TextCondition(" AND ".join(parts), without_document, anywhere, values)


def _in_ad(one: Alternatives, place: int, values: dict[str, object]) -> str:
    """That the document, or the advertiser, of an ad at hand has the term, or has not."""
    values[f"query_{place}"] = one.in_document(with_advertisers=False)
    has = f"s.document @@ CAST(:query_{place} AS tsquery)"
    if one.advertisers:
        has += f" OR c.advertiser_id = ANY (CAST(:advertiser_id_{place} AS text[]))"
    return f"({has}) IS NOT TRUE" if one.is_excluded else f"({has})"


def _anywhere(found: Sequence[Alternatives], values: dict[str, object]) -> str | None:
    """That an ad with a word in its title or note has each term there or elsewhere."""
    noted = list(dict.fromkeys(ad for one in found for ad in one.noted))
    if not noted:
        return None
    values["noted"] = noted
    parts = ["c.ad_creative_id = ANY (CAST(:noted AS text[]))"]
    for place, one in enumerate(found):
        included = replace(one, is_excluded=False)
        values[f"noted_{place}"] = one.noted
        has = " OR ".join(
            (
                _in_ad(included, place, values),
                _in_names(included, place, values),
                f"c.ad_creative_id = ANY (CAST(:noted_{place} AS text[]))",
            )
        )
        parts.append(f"({has}) IS NOT TRUE" if one.is_excluded else f"({has})")
    return " AND ".join(parts)


def _in_names(one: Alternatives, place: int, values: dict[str, object]) -> str:
    """That the advertiser or the domain of `c` has the term, or has not where it is excluded."""
    parts = ["false"]
    for column, names in (("advertiser_id", one.advertisers), ("target_domain", one.domains)):
        if names:
            values[f"{column}_{place}"] = names
            parts.append(f"c.{column} = ANY (CAST(:{column}_{place} AS text[]))")
    has = " OR ".join(parts)
    return f"({has}) IS NOT TRUE" if one.is_excluded else f"({has})"


def _merge(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((*one, *other)))


def quote_lexeme(lexeme: str) -> str:
    """A lexeme in the syntax of `tsquery`."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
