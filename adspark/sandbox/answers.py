"""The body of a good answer, as SerpApi would send it but for the marks."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import urlencode

from adspark.sandbox.cache import SearchRecord
from adspark.sandbox.catalogue import Catalogue, Row
from adspark.sandbox.faults import FaultKind
from adspark.sandbox.marks import MARKS
from adspark.sandbox.query import Query
from adspark.sandbox.tokens import PageTokens

NO_RESULTS = "Google Ads Transparency Center hasn't returned any results for this search."

_ADDRESSES = ("image", "link", "details_link", "serpapi_details_link")
_EXACT_BELOW = 300  # results; above, SerpApi's totals are rounded to hundreds
_USUAL_TIME = 0.05  # seconds, as total_time_taken of a search without latency
_HIDDEN = {"api_key"}


@dataclass(frozen=True)
class Page:
    """Which part of which search an answer shows."""

    params: Mapping[str, str]
    query: Query
    offset: int
    size: int


class AnswerWriter:
    """Writes answers from a catalogue; the same page and record give the same answer."""

    def __init__(
        self, catalogue: Catalogue, tokens: PageTokens, base_url: str, latency: float
    ) -> None:
        self._catalogue = catalogue
        self._tokens = tokens
        self._base_url = base_url
        self._latency = latency

    def write(
        self, page: Page, record: SearchRecord, changes: frozenset[FaultKind]
    ) -> dict[str, object]:
        """The whole body, with the changes that faults make to it."""
        selection = self._catalogue.select(page.query)
        total, offset = len(selection), page.offset
        body: dict[str, object] = {
            "search_metadata": self._metadata(page, record),
            "search_parameters": {k: v for k, v in page.params.items() if k not in _HIDDEN},
        }
        if offset >= total:
            return body | {
                "search_information": {"results_state": "Fully empty"},
                "error": NO_RESULTS,
            }
        if FaultKind.DUPLICATES in changes:  # half a page slid down since the last one
            offset = max(0, offset - page.size // 2)
        found = islice(selection.rows(offset), page.size)
        rows: list[object] = [self._public(row, page.query, record) for row in found]
        following = offset + len(rows)
        if FaultKind.BROKEN_ROWS in changes:
            rows = break_rows(rows)
        if FaultKind.EMPTY_PAGE_WITH_TOKEN in changes:
            rows = []
        body["search_information"] = {"total_results": _as_claimed(total)}
        body["ad_creatives"] = rows
        if following < total or not rows:
            body["serpapi_pagination"] = self._pagination(page, following)
        return body

    def _metadata(self, page: Page, record: SearchRecord) -> dict[str, object]:
        archived = f"{self._base_url}/searches/sandbox/{record.id}"
        asked = {"advertiser_id": ",".join(page.query.advertiser_ids), "text": page.query.text}
        address = urlencode({name: value for name, value in asked.items() if value})
        return {
            "id": record.id,
            "status": "Success",
            "json_endpoint": f"{archived}.json",
            "created_at": _as_text(record.created_at),
            "processed_at": _as_text(record.created_at),
            "google_ads_transparency_center_url": f"{self._base_url}/?{address}",
            "raw_html_file": f"{archived}.html",
            "prettify_html_file": f"{archived}.prettify",
            "total_time_taken": round(self._latency + _USUAL_TIME, 2),
            **MARKS,
        }

    def _public(self, row: Row, query: Query, record: SearchRecord) -> Row:
        shown = dict(row)
        if query.text is None:
            shown.pop("target_domain", None)
        if "link" in shown:
            nonce = _make_nonce(record.id, str(row["ad_creative_id"]))
            names = f"htmlParentId=fletch-render-{nonce}&responseCallback=fletchCallback{nonce}"
            shown["link"] = f"{shown['link']}&{names}"
        for name in _ADDRESSES:
            if str(shown.get(name, "")).startswith("/"):
                shown[name] = f"{self._base_url}{shown[name]}"
        return shown

    def _pagination(self, page: Page, following: int) -> dict[str, object]:
        token = self._tokens.make(page.query, following)
        asked = {k: v for k, v in page.params.items() if k not in _HIDDEN}
        address = urlencode(sorted((asked | {"next_page_token": token}).items()))
        return {"next_page_token": token, "next": f"{self._base_url}/search.json?{address}"}


def break_rows(rows: list[object]) -> list[object]:
    """The rows with every third spoiled, each in another way."""
    spoiled = list(rows)
    for turn, place in enumerate(range(0, len(rows), 3)):
        row = rows[place]
        whole = dict(row) if isinstance(row, dict) else {}
        match turn % 6:
            case 0:
                spoiled[place] = {k: v for k, v in whole.items() if k != "ad_creative_id"}
            case 1:
                spoiled[place] = {**whole, "ad_creative_id": "CR-not-a-number"}
            case 2:
                spoiled[place] = {**whole, "format": "hologram"}
            case 3:
                spoiled[place] = {**whole, "last_shown": "yesterday", "width": [380]}
            case 4:
                spoiled[place] = {**whole, "advertiser_id": 17}
            case _:
                spoiled[place] = "not a row"
    return spoiled


def _make_nonce(*parts: str) -> int:
    """Another number for another search, the same for the same."""
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:8])


def _as_claimed(total: int) -> int:
    return total if total < _EXACT_BELOW else round(total, -2)


def _as_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
