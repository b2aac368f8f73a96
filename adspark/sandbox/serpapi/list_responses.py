"""The body of a good answer of the list engine, as SerpApi would send it but for the marks."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from adspark.sandbox.library.catalogue import Row
from adspark.sandbox.serpapi.faults import FaultKind
from adspark.sandbox.serpapi.page_tokens import PageTokens
from adspark.sandbox.serpapi.query import Query
from adspark.sandbox.serpapi.response_head import hide_key, write_head
from adspark.sandbox.serpapi.search_cache import SearchRecord
from adspark.sandbox.settings import SandboxSettings

NO_RESULTS = "Google Ads Transparency Center hasn't returned any results for this search."

_ADDRESSES = ("image", "link", "details_link", "serpapi_details_link")
_EXACT_BELOW = 300  # results; above, SerpApi's totals are rounded to hundreds


@dataclass(frozen=True)
class Page:
    """Which part of which search an answer shows."""

    params: Mapping[str, str]
    query: Query
    offset: int
    size: int


class AnswerWriter:
    """Writes answers; the same page and record give the same answer."""

    def __init__(self, settings: SandboxSettings, tokens: PageTokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def write(
        self, page: Page, record: SearchRecord, changes: frozenset[FaultKind]
    ) -> dict[str, object]:
        """The whole body, with the changes that faults make to it.

        Args:
            page: of the list.
            record: the search, as it is kept.
            changes: the faults that change a body.
        """
        selection = record.catalogue.select(page.query)
        total, offset = len(selection), page.offset
        body = write_head(self._settings, page.params, record, _make_path(page.query))
        if offset >= total or FaultKind.NO_RESULTS in changes:
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
                shown[name] = f"{self._settings.base_url}{shown[name]}"
        return shown

    def _pagination(self, page: Page, following: int) -> dict[str, object]:
        token = self._tokens.make(page.query, following)
        asked = hide_key(page.params)
        address = urlencode(sorted((asked | {"next_page_token": token}).items()))
        return {
            "next_page_token": token,
            "next": f"{self._settings.base_url}/search.json?{address}",
        }


def break_rows(rows: list[object]) -> list[object]:
    """The rows with every third corrupted, each in another way."""
    corrupted = list(rows)
    for turn, place in enumerate(range(0, len(rows), 3)):
        row = rows[place]
        whole = dict(row) if isinstance(row, dict) else {}
        match turn % 6:
            case 0:
                corrupted[place] = {k: v for k, v in whole.items() if k != "ad_creative_id"}
            case 1:
                corrupted[place] = {**whole, "ad_creative_id": "CR-not-a-number"}
            case 2:
                corrupted[place] = {**whole, "format": "hologram"}
            case 3:
                corrupted[place] = {**whole, "last_shown": "yesterday", "width": [380]}
            case 4:
                corrupted[place] = {**whole, "advertiser_id": 17}
            case _:
                corrupted[place] = "not a row"
    return corrupted


def _make_path(query: Query) -> str:
    asked = {"advertiser_id": ",".join(query.advertiser_ids), "text": query.text}
    return f"/?{urlencode({name: value for name, value in asked.items() if value})}"


def _make_nonce(*parts: str) -> int:
    """Another number for another search, the same for the same."""
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:8])


def _as_claimed(total: int) -> int:
    return total if total < _EXACT_BELOW else round(total, -2)
