"""A Transparency Center of a test's own: the ads that there are, and SerpApi's answers on them.

It stands at the border of HTTP, so that each answer can be what the test wants: complete, cut off,
empty, out of order. Pages are those of the list as it was when its first page was asked for.
"""

import hashlib
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

DAY = 86_400
PAGE = 100
ADVERTISER = f"AR{7:020d}"

Row = dict[str, Any]


@dataclass
class Ad:
    """An ad as it is in truth. Times are seconds before now."""

    number: int
    began: float
    last: float = 0.0
    is_running: bool = True
    is_listed: bool = True
    version: int = 0

    @property
    def id(self) -> str:
        # Not in the order of the numbers, so that ads of one day lie on all pages.
        digest = hashlib.sha256(str(self.number).encode()).hexdigest()
        return f"CR{int(digest[:14], 16):020d}"

    @property
    def image(self) -> str:
        return f"https://example.com/{self.number}/{self.version}.png"

    @property
    def content_hash(self) -> str:
        return hashlib.md5(f"text|{self.image}|".encode(), usedforsecurity=False).hexdigest()

    def row(self, now: float) -> Row:
        """As SerpApi tells it."""
        return {
            "advertiser_id": ADVERTISER,
            "advertiser": "An Advertiser",
            "ad_creative_id": self.id,
            "format": "text",
            "image": self.image,
            "first_shown": int(now - self.began),
            "last_shown": int(now - self.last),
        }


@dataclass
class Fault:
    """What is wrong with the answers of one check, from the given page (0 is the first) on.

    `bad row`: a row of the page cannot be read. `broken off`: the page is empty, although it names
    a next one. `cut off`: its JSON ends too early. `empty`: it says that there are no results.
    `unordered`: an old ad stands on the page, and one of it on a later page.
    """

    kind: str = "none"
    page: int = 0


@dataclass
class Answered:
    """A list as its pages were answered: what was there, and what of it could be read."""

    ads: dict[str, Ad]
    rows: list[Row]
    served: set[str] = field(default_factory=set)


class Listing(httpx.AsyncBaseTransport):
    """The ads, and the transport that answers searches for them."""

    def __init__(self) -> None:
        self.ads: list[Ad] = []
        self.fault = Fault()
        self.lists: list[Answered] = []
        self.latest = 0  # the list that was last asked for a page
        self.on_search: Any = None  # awaited before each answer
        self._searches = 0

    def add(self, *, began: float, last: float = 0.0, is_running: bool = True) -> Ad:
        """An ad more."""
        ad = Ad(len(self.ads), began, last, is_running)
        self.ads.append(ad)
        return ad

    def pass_time(self, seconds: float) -> None:
        """Everything was so much longer ago; what runs is shown now."""
        for ad in self.ads:
            ad.began += seconds
            ad.last = 0.0 if ad.is_running else ad.last + seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a search."""
        if self.on_search:
            await self.on_search()
        token = request.url.params.get("next_page_token")
        if token is None:
            self._begin_list()
        number, page = map(int, token.split("-")) if token else (len(self.lists) - 1, 0)
        self.latest = number
        content = json.dumps(self._answer(number, page)).encode()
        if self.fault.kind == "cut off" and page >= self.fault.page:
            content = content[: len(content) // 2]
        return httpx.Response(200, content=content)

    def _begin_list(self) -> None:
        now = time.time()
        listed = sorted((ad for ad in self.ads if ad.is_listed), key=lambda ad: (ad.last, ad.id))
        rows = [ad.row(now) for ad in listed]
        if self.fault.kind == "unordered" and rows:
            rows.insert(self.fault.page * PAGE, rows.pop())
        ads = {ad.id: Ad(**vars(ad)) for ad in listed}
        self.lists.append(Answered(ads, rows))

    def _answer(self, number: int, page: int) -> dict[str, Any]:
        answered = self.lists[number]
        rows = answered.rows[page * PAGE : (page + 1) * PAGE]
        has_more = len(answered.rows) > (page + 1) * PAGE
        is_hit = page >= self.fault.page
        if not answered.rows or (is_hit and self.fault.kind == "empty"):
            return self._head() | {"error": "Google hasn't returned any results for this search."}
        if is_hit and self.fault.kind == "broken off":
            rows, has_more = [], True
        if page == self.fault.page and self.fault.kind == "bad row" and rows:
            place = random.Random(number).randrange(len(rows))
            rows = [*rows]
            rows[place] = rows[place] | {"advertiser_id": "nobody"}
        if self.fault.kind != "cut off" or not is_hit:
            answered.served |= {
                row["ad_creative_id"] for row in rows if row["advertiser_id"] == ADVERTISER
            }
        body = self._head() | {"ad_creatives": rows}
        if has_more:
            body["serpapi_pagination"] = {"next_page_token": f"{number}-{page + 1}"}
        return body

    def _head(self) -> dict[str, Any]:
        self._searches += 1
        return {"search_metadata": {"id": f"search-{self._searches}", "status": "Success"}}
