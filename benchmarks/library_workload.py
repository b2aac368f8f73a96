"""A generated library: ads of forty words, as unevenly spread as words and advertisers are."""

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from adspark.library.filters.definition import AdFilters
from adspark.library.search.statements import Sort
from adspark.models import CreativeFormat, Platform

_VOCABULARY = 20_000
_ADVERTISERS = 2_000
_WORDS = 40  # an ad
_HEADLINE = 6  # of them
_SIZES = ((300, 250), (728, 90), (1200, 628), (380, 199), (320, 480))
_FORMATS = ("image", "text", "video")
_PLATFORMS = ("SEARCH", "YOUTUBE", "SHOPPING", "MAPS", "PLAY")
_REGIONS = ("2840", "2276", "2250", "2826", "2392")
_NOW = datetime.now(UTC)


@dataclass
class Workload:
    """The same ads and the same questions at each run of one size."""

    ads: int
    chance: random.Random = field(default_factory=lambda: random.Random(16))

    def __post_init__(self) -> None:
        # Syllables, so that words share beginnings and are alike, as in a language.
        parts = [a + b for a, b in itertools.product("bdfgklmnprstvw", "aeiou")]
        made = itertools.product(parts, repeat=3)
        self.words = ["".join(one) for one in itertools.islice(made, 0, None, 15)][:_VOCABULARY]
        self.chance.shuffle(self.words)
        self._word_weights = _falling(len(self.words))
        self._advertiser_weights = _falling(_ADVERTISERS)

    def fill(self, url: str) -> None:
        """Write advertisers, ads and what was bought of them; the documents are made afterwards."""
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            with cursor.copy("COPY advertiser (advertiser_id, name) FROM STDIN") as copy:
                for number in range(_ADVERTISERS):
                    copy.write_row((_advertiser(number), self._name(number)))
            for first in range(0, self.ads, 10_000):
                numbers = range(first, min(first + 10_000, self.ads))
                who = self.chance.choices(
                    range(_ADVERTISERS), cum_weights=self._advertiser_weights, k=len(numbers)
                )
                with cursor.copy(_COPY_ADS) as copy:
                    for number, advertiser in zip(numbers, who, strict=True):
                        copy.write_row(self._ad(number, advertiser))
                with cursor.copy(_COPY_DETAILS) as copy:
                    for number, advertiser in zip(numbers, who, strict=True):
                        copy.write_row(self._details(number, advertiser))
            cursor.execute(
                "INSERT INTO advertiser_domain (domain, advertiser_id) "
                "SELECT DISTINCT target_domain, advertiser_id FROM creative"
            )

    def searches(self, number: int) -> Iterator[tuple[str, AdFilters, Sort | None]]:
        """Words as people type them, common and rare ones, in turn with what can go with them."""
        for place in range(number):
            first, second = self._drawn(2)
            yield (
                (first, AdFilters(), None),
                (f"{first} {second}", AdFilters(), None),
                (f"{first} -{second}", AdFilters(), Sort.NEWEST),
                (f"{first[:4]}*", AdFilters(), None),
                (f"{self._name(self.chance.randrange(200))} {first}", AdFilters(), None),
                (first, AdFilters(format=CreativeFormat.IMAGE), Sort.NEWEST),
                (f'"{first} {second}"', AdFilters(), None),
            )[place % 7]

    def filters(self, number: int) -> Iterator[AdFilters]:
        """Filters without words."""
        for place in range(number):
            advertiser = self.chance.randrange(200)
            yield (
                AdFilters(advertiser_ids=(_advertiser(advertiser),)),
                AdFilters(format=CreativeFormat.VIDEO, platform=Platform.YOUTUBE),
                AdFilters(domain=_domain(advertiser)),
                AdFilters(is_running=True, size=(300, 250)),
                AdFilters(least_days=60, region="2276"),
                AdFilters(first_shown_from=(_NOW - timedelta(days=place % 90)).date()),
                AdFilters(aspect="landscape", has_words=True, is_running=False),
            )[place % 7]

    def _drawn(self, number: int) -> list[str]:
        return self.chance.choices(self.words, cum_weights=self._word_weights, k=number)

    def _name(self, advertiser: int) -> str:
        return f"{self.words[advertiser * 7].title()} {self.words[advertiser * 3 + 1].title()} Inc"

    def _ad(self, number: int, advertiser: int) -> tuple[object, ...]:
        days = self.chance.randrange(1, 200)
        last = _NOW - timedelta(minutes=self.chance.randrange(200 * 1440))
        return (
            _ad_id(number), _advertiser(advertiser), self.chance.choice(_FORMATS),
            f"https://tpc.googlesyndication.com/archive/simgad/{number:020d}",
            *self.chance.choice(_SIZES), _domain(advertiser), last - timedelta(days=days), last,
            days, f"https://adstransparency.google.com/advertiser/{_advertiser(advertiser)}"
            f"/creative/{_ad_id(number)}", [self.chance.choice(_REGIONS)],
            [self.chance.choice(_PLATFORMS)],
        )  # fmt: skip

    def _details(self, number: int, advertiser: int) -> tuple[object, ...]:
        words = self._drawn(_WORDS)
        headline, snippet = " ".join(words[:_HEADLINE]), " ".join(words[_HEADLINE:])
        link = f"https://{_domain(advertiser)}/{words[0]}"
        variation = {"headline": headline, "snippet": snippet, "link": link}
        return (
            _ad_id(number), _NOW, "search", 1, headline, snippet, link, json.dumps([variation])
        )  # fmt: skip


_COPY_ADS = """
    COPY creative (ad_creative_id, advertiser_id, format, image_url, width, height, target_domain,
        first_shown, last_shown, total_days_shown, details_link, regions, platforms) FROM STDIN
"""
_COPY_DETAILS = """
    COPY creative_detail (ad_creative_id, answered_at, search_id, searches_billed, headline,
        snippet, landing_url, variations) FROM STDIN
"""


def _falling(number: int) -> list[float]:
    """Cumulative weights of which each is in proportion to its place, as of words in a text."""
    return list(itertools.accumulate(1 / (place + 10) for place in range(number)))


def _ad_id(number: int) -> str:
    return f"CR{number:020d}"


def _advertiser(number: int) -> str:
    return f"AR{number:020d}"


def _domain(advertiser: int) -> str:
    return f"shop{advertiser}.example.com"
