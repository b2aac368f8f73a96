"""Valid objects for tests; a test names only what it is about."""

from typing import Any

from adspark.serpapi.payloads import CreativePayload, Search, SearchPage
from adspark.serpapi.search_query import CreativeQuery, parse_query
from adspark.watches.definition import WatchDefinition, parse_watch

ADVERTISER_ID = "AR04323445746671026177"


def creative_row(number: int = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A row of `ad_creatives[]` as SerpApi sends it."""
    row = {
        "advertiser_id": ADVERTISER_ID,
        "advertiser": "New Balance Athletic Shoe, Inc.",
        "ad_creative_id": f"CR{number:020d}",
        "format": "text",
        "image": f"https://tpc.googlesyndication.com/archive/simgad/{number}",
        "width": 380,
        "height": 199,
        "total_days_shown": 10,
        "first_shown": 1_780_000_000,
        "last_shown": 1_786_000_000,
        "details_link": f"https://adstransparency.google.com/advertiser/{ADVERTISER_ID}",
    }
    return {key: value for key, value in (row | changes).items() if value is not ...}


def creative(number: int = 1, **changes: Any) -> CreativePayload:  # noqa: ANN401
    """A parsed row; a change to `...` leaves the field out, as SerpApi does."""
    return CreativePayload.model_validate(creative_row(number, **changes))


def query(**changes: Any) -> CreativeQuery:  # noqa: ANN401
    """A checked search."""
    made, _ = parse_query(**({"advertiser_ids": ADVERTISER_ID} | changes))
    return made


def watch_definition(**words: Any) -> WatchDefinition:  # noqa: ANN401
    """A checked definition of a watch."""
    made, _ = parse_watch(**({"name": "shoes", "advertiser_ids": ADVERTISER_ID} | words))
    return made


def page(
    *rows: CreativePayload, search_id: str = "search-1", token: str | None = None
) -> SearchPage:
    """A page as the client gives it."""
    return SearchPage(
        searches=[Search(id=search_id, age=0.0)], rows=list(rows), next_page_token=token
    )
