"""The recorded ads: 320 real rows of 12 advertisers (see data/PROVENANCE.md)."""

import json
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from importlib import resources
from itertools import islice
from urllib.parse import parse_qs, urlsplit

from adspark.sandbox.catalogue import Advertiser, Row, Selection, last_shown
from adspark.sandbox.query import Query

_US = "2840"
# Their hosts become the sandbox's; `details_link` stays the public page.
_OWN_ADDRESSES = ("image", "link", "serpapi_details_link")
_NONCES = re.compile(r"[?&](?:htmlParentId|responseCallback)=[^&]*")


class RecordedSelection:
    """Recorded rows that match a query."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def count_newer(self, moment: int) -> int:
        return bisect_left(self._rows, -moment, key=lambda row: -last_shown(row))

    def rows(self, start: int) -> Iterator[Row]:
        return islice(self._rows, start, None)


class RecordedCatalogue:
    """The rows of data/creatives.jsonl."""

    def __init__(self) -> None:
        file = resources.files("adspark.sandbox").joinpath("data/creatives.jsonl")
        lines = file.read_text(encoding="utf-8").splitlines()
        rows = [_on_sandbox(json.loads(line)) for line in lines]
        rows.sort(key=lambda row: -last_shown(row))
        self._by_advertiser = defaultdict[str, list[Row]](list)
        self._by_domain = defaultdict[str, list[Row]](list)
        self._by_number: dict[str, Row] = {}
        for row in rows:
            self._by_advertiser[str(row["advertiser_id"])].append(row)
            if "target_domain" in row:
                self._by_domain[str(row["target_domain"])].append(row)
            self._by_number |= dict.fromkeys(_numbers(row), row)

    def select(self, query: Query) -> Selection:
        if query.political:  # none of the recorded ads is
            return RecordedSelection([])
        if query.advertiser_ids:
            found = [r for one in query.advertiser_ids for r in self._by_advertiser.get(one, [])]
            found.sort(key=lambda row: -last_shown(row))
        else:
            found = self._by_domain.get(query.text or "", [])
        return RecordedSelection([row for row in found if _matches(row, query)])

    def find(self, number: str) -> Row | None:
        return self._by_number.get(number)

    def advertisers(self, limit: int) -> list[Advertiser]:
        described = [_describe(rows) for rows in self._by_advertiser.values()]
        described.sort(key=lambda one: -one.creatives)
        return described[:limit]


def _describe(rows: list[Row]) -> Advertiser:
    first = rows[0]
    domain = next((str(row["target_domain"]) for row in rows if "target_domain" in row), None)
    return Advertiser(str(first["advertiser_id"]), str(first["advertiser"]), domain, len(rows))


def _on_sandbox(row: Row) -> Row:
    moved = dict(row)
    for name in _OWN_ADDRESSES:
        if name in row:
            parts = urlsplit(str(row[name]))
            moved[name] = parts.path + (f"?{parts.query}" if parts.query else "")
    if "link" in moved:
        moved["link"] = _NONCES.sub("", str(moved["link"]))
    return moved


def _numbers(row: Row) -> list[str]:
    """What `find` knows it by."""
    preview = parse_qs(urlsplit(str(row.get("link", ""))).query).get("creativeId", [])
    picture = [str(row["image"]).rpartition("/")[2]] if "image" in row else []
    return [str(row["ad_creative_id"]), *preview, *picture]


def _matches(row: Row, query: Query) -> bool:
    """Platforms of recorded ads are not known, so every one matches."""
    return (
        (query.text is None or row.get("target_domain") == query.text)
        and (query.region in (None, _US) or not _is_us_only(row))
        and query.creative_format in (None, row["format"])
        and query.overlaps(_moment(row, "first_shown"), _moment(row, "last_shown"))
    )


def _moment(row: Row, name: str) -> int | None:
    return int(row[name]) if name in row else None


def _is_us_only(row: Row) -> bool:
    regions = parse_qs(urlsplit(str(row.get("details_link", ""))).query).get("region", [])
    return "US" in regions
