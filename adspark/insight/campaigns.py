"""Near-duplicates: ads of an advertiser that look alike or say the same, as versions of one.

Two ads belong together where their pictures' perceptual hashes differ in few bits, or their words
are nearly the same; and so do those that belong to the same third one.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_MOST_BITS = 31
"""By which hashes of 256 bits may differ; those of unlike pictures differ in about 128."""

_BANDS, _BAND_DIGITS = 32, 2  # of two hashes that differ in fewer bits, one band is the same
_LEAST_ALIKE = 0.7  # of the words of both, the share that they have in common
_LEAST_WORDS = 3  # fewer say nothing about being a version
_READ = text("""
    SELECT d.ad_creative_id, d.first_day, d.last_day, d.is_running, p.perceptual_hash,
        tsvector_to_array(ts_filter(s.document, '{a,b}')) AS words
    FROM insight_ad d JOIN creative c USING (ad_creative_id)
        LEFT JOIN picture_version p ON p.ad_creative_id = c.ad_creative_id
            AND p.content_hash = c.content_hash AND p.perceptual_hash IS NOT NULL
        LEFT JOIN search_document s ON s.ad_creative_id = c.ad_creative_id
    WHERE d.advertiser_id = :id ORDER BY d.first_day NULLS LAST, d.ad_creative_id
""")


_Value = TypeVar("_Value")


class Campaign(BaseModel):
    """Versions of one ad; the first of them was shown first."""

    versions: int
    running: int
    first_day: date | None
    last_day: date | None
    ads: list[str]


class Campaigns(BaseModel):
    """An advertiser's campaigns of several versions, the one with the most first."""

    compared: int = Field(description="Ads whose picture, or three words or more, are known.")
    unknown: int = Field(description="Ads of which neither are; they are not compared.")
    campaigns: list[Campaign]


class _Groups:
    """Which of so many things belong together."""

    def __init__(self, number: int) -> None:
        self._parents = list(range(number))

    def find(self, one: int) -> int:
        while self._parents[one] != one:
            self._parents[one] = self._parents[self._parents[one]]
            one = self._parents[one]
        return one

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        self._parents[second] = first


async def find_campaigns(session: AsyncSession, *, advertiser_id: str) -> Campaigns:
    """The campaigns among all stored ads of an advertiser."""
    rows = (await session.execute(_READ, {"id": advertiser_id})).all()
    groups = _Groups(len(rows))
    hashes = _by_value((place, row.perceptual_hash) for place, row in enumerate(rows))
    words = _by_value(
        (place, frozenset(row.words) if row.words and len(row.words) >= _LEAST_WORDS else None)
        for place, row in enumerate(rows)
    )
    for places in (*hashes.values(), *words.values()):
        for place in places[1:]:
            groups.join(places[0], place)
    for one, other in alike_hashes(list(hashes)):
        groups.join(hashes[one][0], hashes[other][0])
    for first, second in alike_words(list(words)):
        groups.join(words[first][0], words[second][0])
    members = defaultdict(list)
    for place, row in enumerate(rows):
        members[groups.find(place)].append(row)
    known = len({place for of in (hashes, words) for some in of.values() for place in some})
    found = [_campaign(ads) for ads in members.values() if len(ads) > 1]
    found.sort(key=lambda one: -one.versions)
    return Campaigns(compared=known, unknown=len(rows) - known, campaigns=found)


def alike_hashes(hashes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of different hashes (64 hexadecimal digits) that differ in few bits."""
    bands: dict[tuple[int, str], list[tuple[str, int]]] = defaultdict(list)
    for written in hashes:
        value = int(written, 16)
        near: set[str] = set()
        for band in range(_BANDS):
            key = (band, written[band * _BAND_DIGITS : (band + 1) * _BAND_DIGITS])
            for other, known in bands[key]:
                if other not in near and (value ^ known).bit_count() <= _MOST_BITS:
                    near.add(other)
            bands[key].append((written, value))
        yield from ((other, written) for other in near)


def alike_words(texts: Sequence[frozenset[str]]) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Pairs of different sets of words that have most words in common.

    Two such sets share one of the rarest words of each, which are all that is looked up.
    """
    counts = Counter(word for words in texts for word in words)
    by_word: dict[str, list[frozenset[str]]] = defaultdict(list)
    for words in texts:
        rarest = sorted(words, key=lambda word: (counts[word], word))
        looked_up = rarest[: len(words) - math.ceil(_LEAST_ALIKE * len(words)) + 1]
        near = {other for word in looked_up for other in by_word[word]}
        for word in looked_up:
            by_word[word].append(words)
        yield from (
            (other, words)
            for other in near
            if len(words & other) >= _LEAST_ALIKE * len(words | other)
        )


def _by_value(pairs: Iterable[tuple[int, _Value | None]]) -> dict[_Value, list[int]]:
    places: dict[_Value, list[int]] = defaultdict(list)
    for place, value in pairs:
        if value is not None:
            places[value].append(place)
    return places


def _campaign(ads: Sequence[Any]) -> Campaign:
    return Campaign(
        versions=len(ads),
        running=sum(one.is_running for one in ads),
        first_day=min((one.first_day for one in ads if one.first_day), default=None),
        last_day=max((one.last_day for one in ads if one.last_day), default=None),
        ads=[one.ad_creative_id for one in ads],
    )
