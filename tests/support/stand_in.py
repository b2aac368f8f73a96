"""SerpApi's list engine in a few lines, for answers that the sandbox does not give.

It bills like SerpApi: an identical search is answered from the cache, with the same id and for
nothing, unless a fresh answer is asked for. It serves pages as they are laid out.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
from pydantic import SecretStr

from adspark.serpapi.client import SerpApiClient

NO_RESULTS = "Google Ads Transparency Center hasn't returned any results for this search."
_NOT_COMPARED = ("api_key", "no_cache")
Row = dict[str, Any]


class StandIn:
    """One account; tests change `pages` and the rest as they like.

    Attributes:
        pages: rows of each page.
        total: total_results as claimed; the true number where it is None.
        empty: numbers of pages that say that there are no results.
        following: token of the next page by the number of a page, where it is not the usual one.
        failures: what the next searches end with instead of an answer, first to last; None: none.
        bend: changes an answer as it is made.
        after_answer: called when an answer has been made, and billed, and is about to leave.
        asked: numbers of the pages that were asked for.
        ads: ids of the ads in each answer, by the id of its search.
    """

    def __init__(self, *pages: Sequence[Row]) -> None:
        self.pages = [list(page) for page in pages]
        self.total: int | None = None
        self.empty = set[int]()
        self.following: dict[int, str | None] = {}
        self.failures: list[int | None] = []
        self.bend: Callable[[dict[str, Any]], object] = lambda _: None
        self.after_answer: Callable[[], None] = lambda: None
        self.asked: list[int] = []
        self.ads: dict[str, set[str]] = {}
        self.billed = 0
        self._epoch = 0
        self._answers: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}

    def client(self) -> SerpApiClient:
        """A client of it."""
        return SerpApiClient(SecretStr("key"), transport=httpx.MockTransport(self._handle))

    def expire_tokens(self) -> None:
        """Every token given so far is refused; the cache still gives the answers that hold them."""
        self._epoch += 1

    def let_an_hour_pass(self) -> None:
        """Nothing is cached any more."""
        self._answers.clear()

    def token(self, page: int) -> str:
        """The token of a page, as it is given now."""
        return f"t{self._epoch}-{page}"

    def _handle(self, request: httpx.Request) -> httpx.Response:
        number = self._page_of(request.url.params.get("next_page_token"))
        status = self.failures.pop(0) if self.failures else None
        if status or number is None:
            return httpx.Response(status or 400, json={"error": "Unsupported `token`."})
        self.asked.append(number)
        key = tuple(
            sorted(p for p in request.url.params.multi_items() if p[0] not in _NOT_COMPARED)
        )
        if key not in self._answers or "no_cache" in request.url.params:
            self.billed += 1
            made = self._answers[key] = self._answer(number)
            self.bend(made)
            sent = made.get("ad_creatives", ())
            ids = {str(row.get("ad_creative_id")) for row in sent if isinstance(row, dict)}
            self.ads[made["search_metadata"]["id"]] = ids
        self.after_answer()
        now = format_datetime(datetime.now(UTC), usegmt=True)
        body = json.dumps(self._answers[key])
        return httpx.Response(200, content=body, headers={"Date": now})

    def _page_of(self, token: str | None) -> int | None:
        if token is None:
            return 0
        epoch, _, number = token.removeprefix("t").partition("-")
        return int(number) if epoch == str(self._epoch) else None

    def _answer(self, number: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "search_metadata": {
                "id": f"search-{self.billed}",
                "status": "Success",
                "created_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
            }
        }
        if number in self.empty or number >= len(self.pages):
            return body | {"error": NO_RESULTS}
        total = sum(map(len, self.pages)) if self.total is None else self.total
        body |= {"search_information": {"total_results": total}, "ad_creatives": self.pages[number]}
        is_last = number + 1 >= len(self.pages)
        usual = None if is_last else self.token(number + 1)
        if token := self.following.get(number, usual):
            body["serpapi_pagination"] = {"next_page_token": token}
        return body
