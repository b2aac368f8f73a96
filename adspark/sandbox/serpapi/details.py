"""Answers of the ad-details engine: the recorded one, or a plain one made from the ad's row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from adspark.sandbox.library.catalogue import AdCopy, Catalogue, Row
from adspark.sandbox.library.dates import move_information
from adspark.sandbox.library.generated import find_domain
from adspark.sandbox.library.listed import is_us_only
from adspark.sandbox.serpapi.query import DetailsQuery
from adspark.sandbox.serpapi.response_head import write_head
from adspark.sandbox.serpapi.search_cache import SearchRecord
from adspark.sandbox.settings import SandboxSettings

FAILED = "Failed to retrieve data."
NO_RESULTS = "Google Ads Transparency Center Ad Details hasn't returned any results for this query."

_PICTURE_HOST = "https://tpc.googlesyndication.com"

Variation = dict[str, object]


@dataclass(frozen=True)
class DetailsPage:
    """Which ad an answer is about."""

    params: Mapping[str, str]
    query: DetailsQuery


@dataclass(frozen=True)
class Details:
    """What is known of an ad beyond its row."""

    information: dict[str, object]
    variations: list[Variation]


class DetailsWriter:
    """Writes answers; the same page and record give the same answer.

    A recorded answer stays as it is when a change alters its ad.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._recorded = _read_recorded()

    @property
    def example(self) -> DetailsQuery:
        """A search with a recorded answer."""
        return next(iter(self._recorded))

    def write(self, page: DetailsPage, record: SearchRecord) -> dict[str, object]:
        """The whole body."""
        query, catalogue = page.query, record.catalogue
        path = f"/advertiser/{query.advertiser_id}/creative/{query.creative_id}"
        row = find_ad(query, catalogue)
        if row is None:
            head = write_head(self._settings, page.params, record, path, status="Error")
            return head | {"error": FAILED}
        recorded = self._recorded.get(query)
        details = recorded or _describe(row)
        body = write_head(self._settings, page.params, record, path)
        is_moved = recorded and self._settings.follows_today
        body["search_information"] = (
            move_information(details.information, record.created_at)
            if is_moved
            else details.information
        )
        if not details.variations:
            return body | {"error": NO_RESULTS}
        shown = [self._public(variation, catalogue) for variation in details.variations]
        return body | {"ad_creatives": shown}

    def _public(self, variation: Variation, catalogue: Catalogue) -> Variation:
        """With its picture on the sandbox, where the sandbox has it."""
        path = str(variation.get("image", "")).removeprefix(_PICTURE_HOST)
        if path.startswith("/") and catalogue.find(path.rpartition("/")[2]):
            return variation | {"image": f"{self._settings.base_url}{path}"}
        return variation


def find_variations(row: Row) -> list[Variation]:
    """What an ad's details tell of it, pictures still where they were recorded."""
    query = DetailsQuery(str(row["advertiser_id"]), str(row["ad_creative_id"]))
    return (_read_recorded().get(query) or _describe(row)).variations


def find_copy(row: Row) -> AdCopy | None:
    """The copy of an ad, as its details have it first; None: they have none."""
    names = ("headline", "title", "snippet", "call_to_action", "visible_link")
    for one in find_variations(row):
        head, title, body, action, place = (str(one.get(name) or "") for name in names)
        if (head or title) and body:
            return AdCopy(head or title, body, " ".join(filter(None, (action, _plain(place)))))
    return None


def find_ad(query: DetailsQuery, catalogue: Catalogue) -> Row | None:
    """The advertiser's ad with this creative id."""
    row = catalogue.find(query.creative_id)
    asked = (query.advertiser_id, query.creative_id)
    return row if row and (row["advertiser_id"], row["ad_creative_id"]) == asked else None


def _plain(place: str) -> str:
    """A visible link; nothing where the record holds what stands for one."""
    return "" if place.startswith("<") else place


@cache
def _read_recorded() -> dict[DetailsQuery, Details]:
    file = resources.files("adspark.sandbox").joinpath("data/ad_details.jsonl")
    recorded: dict[DetailsQuery, Details] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        body = json.loads(line)
        asked = body["search_parameters"]
        query = DetailsQuery(asked["advertiser_id"], asked["creative_id"])
        recorded[query] = Details(body["search_information"], body.get("ad_creatives", []))
    return recorded


def _describe(row: Row) -> Details:
    """The row in the shape of details; copy and a country are invented for invented ads only."""
    domain = find_domain(str(row["advertiser_id"]))
    shown = {name: row[name] for name in ("first_shown", "last_shown") if name in row}
    information: dict[str, object] = {"format": row["format"]}
    if "last_shown" in row:
        information["last_shown"] = row["last_shown"]
    if domain or is_us_only(row):
        country = {"region": 2840, "region_name": "United States"}
        information |= country | {"regions": [country | shown]}
    else:
        information |= {"region_name": "anywhere", "regions": []}
    variation: Variation = {k: row[k] for k in ("image", "width", "height") if k in row}
    if domain:
        variation |= _invent_copy(row, domain)
    return Details(information, [variation] if variation else [])


def _invent_copy(row: Row, domain: str) -> Variation:
    number = row["ad_creative_id"]
    return {
        "title": f"Sandbox ad {number}",
        "snippet": f"Copy of a SANDBOX ad of {row['advertiser']}; nobody ever showed it.",
        "visible_link": domain,
        "link": f"https://{domain}/landing/{number}",
        "call_to_action": "Learn more",
    }
