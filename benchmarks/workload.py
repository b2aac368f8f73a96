"""Pages to store: parsed rows of invented ads, as three kinds of visit bring them."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from adspark.sandbox.library.catalogue import Row
from adspark.sandbox.library.generated import GeneratedCatalogue
from adspark.serpapi.payloads import Search, SearchPage, parse_rows

PAGE_SIZE = 100
REGION = "2840"
PRELOADED_ADVERTISERS = 20
PRELOADED_PAGES = 10  # of each, so that every index has more than one level from the start

_CHANGED_EVERY = 10  # one row in ten
_DAY = 86_400  # seconds
_HOST = "https://ads.example"
_TOKEN = "CgoAP7zn" * 16
_CATALOGUE = GeneratedCatalogue(
    advertisers=9_999, creatives_per_advertiser=PAGE_SIZE * PRELOADED_PAGES
)


class Case(StrEnum):
    """What a page holds beside what is stored; of a changed page all rows were shown later."""

    NEW = "all new"
    UNCHANGED = "all unchanged"
    CHANGED = "10 % changed"


@dataclass(frozen=True)
class Visit:
    """Pages that one fetch brings; `number` and `case` name it."""

    number: int
    case: Case
    pages: list[SearchPage]


def make_visits(number: int, *, pages: int) -> list[Visit]:
    """The visits of round `number`: an advertiser's first pages new, again, and changed."""
    first = [_raw_page(PRELOADED_ADVERTISERS + 1 + number, place) for place in range(pages)]
    later = [[_moved_on(row, place) for place, row in enumerate(page)] for page in first]
    return [
        Visit(number, case, [_page(rows) for rows in raw])
        for case, raw in ((Case.NEW, first), (Case.UNCHANGED, first), (Case.CHANGED, later))
    ]


def make_preload() -> list[SearchPage]:
    """What is in the tables before anything is measured."""
    return [
        _page(_raw_page(advertiser, place))
        for advertiser in range(1, PRELOADED_ADVERTISERS + 1)
        for place in range(PRELOADED_PAGES)
    ]


def _page(rows: list[Row]) -> SearchPage:
    good, rejected = parse_rows(rows)
    return SearchPage(
        searches=[Search(id=uuid4().hex[:24], age=0.0)],
        rows=good,
        rejected=rejected,
        next_page_token=_TOKEN,
    )


def _raw_page(advertiser: int, page: int) -> list[Row]:
    places = range(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)
    return [_public(_CATALOGUE.row(advertiser, place)) for place in places]


def _public(row: Row) -> Row:
    """The row as a search by advertiser shows it: whole addresses, no domain."""
    return {
        name: f"{_HOST}{value}" if str(value).startswith("/") else value
        for name, value in row.items()
        if name != "target_domain"
    }


def _moved_on(row: Row, place: int) -> Row:
    """The row a day later; one in `_CHANGED_EVERY` with another picture or script."""
    moved = row | {
        "last_shown": int(str(row["last_shown"])) + _DAY,
        "total_days_shown": int(str(row["total_days_shown"])) + 1,
    }
    if place % _CHANGED_EVERY == 0:
        media = "image" if "image" in row else "link"
        moved[media] = f"{row[media]}0"
    return moved
