"""Invented ads, any number of them: every row is computed from its place, none is kept."""

import heapq
import random
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from adspark.sandbox.library.catalogue import Advertiser, MergedSelection, Row, Selection
from adspark.sandbox.library.dates import FIRST_RECORDING, days_to_move
from adspark.sandbox.serpapi.query import Query

_DAY = 86_400  # seconds
_SPAN = 365 * _DAY  # the oldest ad's last_shown lies this far back
_PREVIEW = "/ads/preview/content.js?client=ads-integrity-transparency"
# A 9 in front makes numbers beyond 64 bits, which no real id can have.
_ADVERTISER_ID = re.compile(r"AR9(\d{19})")
_NUMBER = re.compile(r"(?:CR)?9(\d{7})(\d{12})")
_DOMAIN = re.compile(r"sandbox-([1-9]\d{0,6})\.example")
_PLATFORMS = {
    "text": (("SEARCH",), ("SEARCH", "MAPS"), ("SEARCH", "PLAY")),
    "image": (("SHOPPING",), ("YOUTUBE", "SHOPPING"), ("MAPS", "PLAY")),
    "video": (("YOUTUBE",), ("YOUTUBE", "PLAY")),
}
_SIZES = ((380, 199), (380, 298), (348, 431), (380, 434), (348, 199), (380, 239))


@dataclass(frozen=True)
class _Pattern:
    """What the ads at one place of the repeating cycle have in common."""

    format: str
    has_image: bool
    size: tuple[int, int] | None
    platforms: tuple[str, ...]
    days: int
    share: float


def _make_cycle(seed: int) -> list[_Pattern]:
    """40 ads: 30 text (27 pictures, 3 links), 5 image (1 without a size), 5 video (links)."""
    chance = random.Random(seed)  # noqa: S311 - repeatable chance is the point
    kinds = [("text", True)] * 27 + [("text", False)] * 3 + [("image", True)] * 5
    kinds += [("video", False)] * 5
    cycle = [
        _Pattern(
            format=kind,
            has_image=has_image,
            size=None if place == 30 or not has_image else chance.choice(_SIZES),
            platforms=chance.choice(_PLATFORMS[kind]),
            days=chance.randint(1, 1500),
            share=chance.uniform(0.58, 1.0),
        )
        for place, (kind, has_image) in enumerate(kinds)
    ]
    chance.shuffle(cycle)
    return cycle


class GeneratedSelection:
    """One advertiser's ads at the places in `places`, which are sorted and do not overlap."""

    def __init__(self, catalogue: "GeneratedCatalogue", index: int, places: list[range]) -> None:
        self._catalogue = catalogue
        self._index = index
        self._places = places

    def __len__(self) -> int:
        return sum(map(len, self._places))

    def _count_before(self, place: int) -> int:
        return sum(len(range(r.start, min(r.stop, place), r.step)) for r in self._places)

    def count_newer(self, moment: int) -> int:
        return self._count_before(self._catalogue.count_newer(moment))

    def rows(self, start: int) -> Iterator[Row]:
        everywhere = range(self._catalogue.creatives_per_advertiser)
        first = bisect_right(everywhere, start, key=lambda place: self._count_before(place + 1))
        ahead = (r[bisect_left(r, first) :] for r in self._places)
        return (self._catalogue.row(self._index, place) for place in heapq.merge(*ahead))


class GeneratedCatalogue:
    """Advertisers 1 to `advertisers` with as many ads each; the same seed gives the same ads.

    They match every region, and no political search. The newest is as old as the recorded ads, or
    of the day `now`.
    """

    def __init__(
        self,
        *,
        advertisers: int,
        creatives_per_advertiser: int = 40,
        seed: int = 0,
        now: datetime | None = None,
    ) -> None:
        self._newest = FIRST_RECORDING + (days_to_move(now) * _DAY if now else 0)
        self.advertiser_count = advertisers
        self.creatives_per_advertiser = creatives_per_advertiser
        self._cycle = _make_cycle(seed)

    def select(self, query: Query) -> Selection:
        indexes = set() if query.political else self._indexes(query)
        selections = [
            GeneratedSelection(self, index, self._places(index, query)) for index in sorted(indexes)
        ]
        return selections[0] if len(selections) == 1 else MergedSelection(selections)

    def find(self, number: str) -> Row | None:
        if not (match := _NUMBER.fullmatch(number)):
            return None
        index, place = int(match[1]), int(match[2])
        exists = 1 <= index <= self.advertiser_count and place < self.creatives_per_advertiser
        return self.row(index, place) if exists else None

    def advertisers(self, limit: int) -> list[Advertiser]:
        return [
            Advertiser(
                _advertiser_id(index), _name(index), _domain(index), self.creatives_per_advertiser
            )
            for index in range(1, min(limit, self.advertiser_count) + 1)
        ]

    def count_newer(self, moment: int) -> int:
        """How many of one advertiser's ads were last shown after `moment`."""
        places = range(self.creatives_per_advertiser)
        return bisect_left(places, self._newest - moment, key=self._age)

    def row(self, index: int, place: int) -> Row:
        """The ad at a place of an advertiser's list, 0 the newest."""
        pattern = self._cycle[(place + index) % len(self._cycle)]
        digits = f"9{index:07d}{place:012d}"
        advertiser, creative = _advertiser_id(index), f"CR{digits}"
        newest = self._newest - self._age(place)
        row: Row = {
            "advertiser_id": advertiser,
            "advertiser": _name(index),
            "ad_creative_id": creative,
            "format": pattern.format,
            "target_domain": _domain(index),
            "total_days_shown": max(1, int(pattern.days * pattern.share)),
            "first_shown": newest - pattern.days * _DAY,
            "last_shown": newest,
            "details_link": f"/advertiser/{advertiser}/creative/{creative}",
            "serpapi_details_link": f"/search.json?advertiser_id={advertiser}&creative_id="
            f"{creative}&engine=google_ads_transparency_center_ad_details",
        }
        if not pattern.has_image:
            row["link"] = f"{_PREVIEW}&obfuscatedCustomerId={index}&creativeId={digits}"
            return row
        row["image"] = f"/archive/simgad/{digits}"
        if pattern.size:
            row["width"], row["height"] = pattern.size
        return row

    def _age(self, place: int) -> int:
        """Seconds between the newest ad's last_shown and this one's; most ads are recent."""
        return _SPAN * place**3 // self.creatives_per_advertiser**3

    def _indexes(self, query: Query) -> set[int]:
        by_id = [m for one in query.advertiser_ids if (m := _ADVERTISER_ID.fullmatch(one))]
        by_text = [m for m in [_DOMAIN.fullmatch(query.text or "")] if m]
        found = {int(match[1]) for match in (by_id if query.advertiser_ids else by_text)}
        if query.advertiser_ids and query.text:
            found &= {int(match[1]) for match in by_text}
        return {index for index in found if 1 <= index <= self.advertiser_count}

    def _places(self, index: int, query: Query) -> list[range]:
        everywhere = self.creatives_per_advertiser
        filters = (query.platform, query.creative_format, query.start, query.end)
        if filters == (None, None, None, None):
            return [range(everywhere)]
        step = len(self._cycle)
        stop = everywhere if query.start is None else self.count_newer(query.start - 1)
        places = []
        for position, pattern in enumerate(self._cycle):
            if query.creative_format not in (None, pattern.format):
                continue
            if query.platform and query.platform not in pattern.platforms:
                continue
            first = 0
            if query.end is not None:  # last shown no later than the end and its own days on
                first = self.count_newer(query.end + pattern.days * _DAY)
            places.append(range(first + (position - index - first) % step, stop, step))
        return places


def find_domain(advertiser_id: str) -> str | None:
    """The domain of an invented advertiser, or None for an id that may be a real one's."""
    match = _ADVERTISER_ID.fullmatch(advertiser_id)
    return _domain(int(match[1])) if match else None


def _advertiser_id(index: int) -> str:
    return f"AR9{index:019d}"


def _name(index: int) -> str:
    return f"Sandbox Advertiser {index}"


def _domain(index: int) -> str:
    return f"sandbox-{index}.example"
