"""How many of the ads of a search each choice of a filter leaves, for a column of filters.

A filter that is chosen does not bound its own counts, so that its other choices are seen. So many
ads are counted at most; where more match, every count is a least.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.filters.definition import RUNNING_DAYS, AdFilters, read_filters
from adspark.library.search.expected import estimate
from adspark.library.search.matching import TextCondition, look_up_terms, text_condition
from adspark.library.search.query_text import parse_query_text
from adspark.library.search.statements import Branch, branches, faceted_statement
from adspark.serpapi.regions import region_name

MOST_FACETED = 2_000
"""Ads that are counted."""

_MOST_CHOICES = 20  # of one filter, those with the most ads
# The filter that a facet belongs to, and its value by ad.
_FACETS = {
    "format": ("format", "format"),
    "platform": ("platform", "unnest(platforms)"),
    "region": ("region", "unnest(regions)"),
    "size": ("size", "nullif(width, 0) || 'x' || nullif(height, 0)"),
    "running": (
        "is_running",
        f"CASE WHEN last_shown >= now() - interval '{RUNNING_DAYS} days' THEN 'yes' ELSE 'no' END",
    ),
    "advertiser": ("advertiser_ids", "advertiser_id"),
}
_NAMES = text("SELECT advertiser_id, name FROM advertiser WHERE advertiser_id = ANY (:ids)")


@dataclass(frozen=True)
class FacetChoice:
    """A value that a filter may have, its name for a person, and ads that have it."""

    value: str
    label: str
    ads: int


@dataclass(frozen=True)
class Facet:
    """The choices of one filter, the one with the most ads first.

    `is_exact`: False where more ads match than were counted, so that each count is a least.
    """

    name: str
    choices: tuple[FacetChoice, ...]
    is_exact: bool


async def count_facets(
    session: AsyncSession, *, query: str = "", filters: AdFilters | None = None
) -> dict[str, Facet]:
    """The choices of format, platform, region, size, running and advertiser, by these names.

    A search whose words mean nothing has no choices.

    Args:
        session: of the database.
        query: as of a search; the words are taken as they are written.
        filters: of the search.
    """
    given = filters or AdFilters()
    words = TextCondition(None, "true")
    if query.strip():
        terms = parse_query_text(query)
        found = await look_up_terms(session, terms=terms, user_id=given.user_id) if terms else []
        if not found:
            return {name: Facet(name, (), is_exact=True) for name in _FACETS}
        words = text_condition(found)
    counted: dict[str, Facet] = {}
    chosen = {name: own for name, (own, _) in _FACETS.items() if getattr(given, own) is not None}
    counted |= await _count(session, words, given, _FACETS.keys() - chosen.keys())
    for name, own in chosen.items():
        without = given.model_copy(update={own: None})
        counted |= await _count(session, words, without, [name])
    await _name_advertisers(session, counted)
    return {name: counted[name] for name in _FACETS}


async def _count(
    session: AsyncSession, words: TextCondition, filters: AdFilters, names: Collection[str]
) -> dict[str, Facet]:
    condition, values = await read_filters(session, filters)
    values |= words.values
    parts, is_all = await _bounded(session, words, branches(words, condition), values)
    statement = faceted_statement(parts, {name: _FACETS[name][1] for name in names})
    values |= {"most": MOST_FACETED, "choices": _MOST_CHOICES}
    rows = (await session.execute(text(statement), values)).all()
    is_exact = is_all and not any(row.total > MOST_FACETED for row in rows)
    return {
        name: Facet(
            name,
            tuple(
                FacetChoice(row.value, _label(name, row.value), row.ads)
                for row in rows
                if row.facet == name
            ),
            is_exact,
        )
        for name in names
    }


async def _bounded(
    session: AsyncSession, words: TextCondition, parts: list[Branch], values: dict[str, Any]
) -> tuple[list[Branch], bool]:
    """Where to look, and whether that is everywhere; a phrase of frequent words is bounded."""
    documents = [part for part in parts if part.has_document]
    if not (documents and words.has_phrase):
        return parts, True
    expected = await estimate(session, words=words, part=documents[0], values=values)
    if expected.phrases_after is None:
        return parts, True
    values["floor"] = expected.phrases_after
    return [part.learned_after() if part.has_document else part for part in parts], False


def _label(name: str, value: str) -> str:
    if name == "region":
        return region_name(value)
    return value.replace("x", " × ") if name == "size" else value


async def _name_advertisers(session: AsyncSession, counted: dict[str, Facet]) -> None:
    facet = counted["advertiser"]
    ids = [one.value for one in facet.choices]
    names = {row.advertiser_id: row.name for row in await session.execute(_NAMES, {"ids": ids})}
    named = tuple(
        FacetChoice(one.value, names.get(one.value, one.value), one.ads) for one in facet.choices
    )
    counted["advertiser"] = Facet(facet.name, named, facet.is_exact)
