"""Ads that are held as rows: which of them match a query, and by which numbers they are found."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import parse_qs, urlsplit

from adspark.sandbox.library.catalogue import Advertiser, Row, Selection, last_shown
from adspark.sandbox.serpapi.query import Query

_US = "2840"


class ListedSelection:
    """Rows that match a query, in order."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def count_newer(self, moment: int) -> int:
        return bisect_left(self._rows, -moment, key=lambda row: -last_shown(row))

    def rows(self, start: int) -> Iterator[Row]:
        return islice(self._rows, start, None)


class ListedCatalogue:
    """Any rows, none of them political."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_advertiser = defaultdict[str, list[Row]](list)
        self._by_domain = defaultdict[str, list[Row]](list)
        self._by_number: dict[str, Row] = {}
        for row in sort_rows(rows):
            self._by_advertiser[str(row["advertiser_id"])].append(row)
            if "target_domain" in row:
                self._by_domain[str(row["target_domain"])].append(row)
            self._by_number |= dict.fromkeys(_numbers(row), row)

    def select(self, query: Query) -> Selection:
        if query.political:
            return ListedSelection([])
        if query.advertiser_ids:
            ids = query.advertiser_ids
            found = sort_rows(row for one in ids for row in self._by_advertiser.get(one, []))
        else:
            found = self._by_domain.get(query.text or "", [])
        return ListedSelection([row for row in found if _matches(row, query)])

    def find(self, number: str) -> Row | None:
        return self._by_number.get(number)

    def advertisers(self, limit: int) -> list[Advertiser]:
        described = [_describe(rows) for rows in self._by_advertiser.values()]
        described.sort(key=lambda one: -one.creatives)
        return described[:limit]


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """The rows as a selection has them: newest last_shown first, those without it last."""
    return sorted(rows, key=lambda row: -last_shown(row))


def is_us_only(row: Row) -> bool:
    """Whether its public page is the one of the United States."""
    regions = parse_qs(urlsplit(str(row.get("details_link", ""))).query).get("region", [])
    return "US" in regions


def _describe(rows: list[Row]) -> Advertiser:
    first = rows[0]
    domain = next((str(row["target_domain"]) for row in rows if "target_domain" in row), None)
    return Advertiser(str(first["advertiser_id"]), str(first["advertiser"]), domain, len(rows))


def _numbers(row: Row) -> list[str]:
    """What `find` knows it by."""
    preview = parse_qs(urlsplit(str(row.get("link", ""))).query).get("creativeId", [])
    picture = [str(row["image"]).rpartition("/")[2]] if "image" in row else []
    return [str(row["ad_creative_id"]), *preview, *picture]


def _matches(row: Row, query: Query) -> bool:
    """Platforms of listed ads are not known, so every one matches."""
    return (
        (query.text is None or row.get("target_domain") == query.text)
        and (query.region in (None, _US) or not is_us_only(row))
        and query.creative_format in (None, row["format"])
        and query.overlaps(_moment(row, "first_shown"), _moment(row, "last_shown"))
    )


def _moment(row: Row, name: str) -> int | None:
    return int(row[name]) if name in row else None
