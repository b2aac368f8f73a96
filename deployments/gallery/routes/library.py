"""The library: stored ads as a grid or a list, found by the words and filters of its address."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import URL, QueryParams

from adspark.creatives.boards import list_boards
from adspark.errors import InvalidQueryError
from adspark.library.advertisers.listing import list_names
from adspark.library.advertisers.named import MOST_NAMES
from adspark.library.filters.definition import ASPECTS
from adspark.library.filters.written import PARAMETERS, choose, read_parameters
from adspark.library.marks.tags import list_tags
from adspark.library.search.cursor import Sort
from adspark.library.search.page import AdPage, read_found_ads, search_ads
from adspark.models import CreativeFormat, EventKind, Platform
from adspark.validation.repeated import check_once
from adspark.watches.stored import list_watch_names
from deployments.gallery.resources import VisitorPages
from deployments.gallery.texts import Texts

router = APIRouter(include_in_schema=False)

_PAGE = 60  # ads
_RATIOS = ("16:9", "4:5", "9:16")  # offered beside the shapes that have a name
_FIELDS = frozenset((*PARAMETERS, "q", "sort", "after"))
_REPEATED = _FIELDS | {"view"}
_MOST_OFFERED = 200  # advertisers whose names are offered
# Where stands what a field may name.
_LISTS = {"advertiser": "/advertisers", "board": "/boards", "watch": "/watches"}


@dataclass
class _Shown:
    """What a search came to: a page of ads, or what is wrong with its fields."""

    page: AdPage | None = None
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A selection of which nothing was done: what was selected and typed, and what is wrong."""

    ads: list[str]
    typed: dict[str, str]
    problems: dict[str, str]


class LibraryPages(VisitorPages):
    """Shows pages of the library to the visitor of a request."""

    async def show(self, address: str, refused: Refused | None = None) -> HTMLResponse:
        """A page of the library."""
        parameters = QueryParams(URL(address).query)
        given = _bounded(parameters)
        user_id = self.visitor.user_id
        shown = await _search(self.session, parameters, user_id)
        options = await _read_options(self.session, user_id, self.texts)
        listed = {one.ad_creative_id for one in shown.page.ads} if shown.page else set()
        others = [one for one in refused.ads if one not in listed] if refused else []

        def shown_value(name: str, value: str) -> str:
            return dict(options.get(name, ())).get(value, value)

        return self.page(
            "library.html",
            status=422 if shown.problems or refused else 200,
            address=address,
            page=shown.page,
            problems=shown.problems,
            given=given,
            chosen=[
                (name, value)
                for name in PARAMETERS
                for value in given.getlist(name)
                if value.strip()
            ],
            without=partial(_without, given),
            shown_value=shown_value,
            is_list=parameters.get("view") == "list",
            options=options,
            lists=_LISTS,
            refused=refused or Refused([], {}, {}),
            others=await read_found_ads(self.session, ids=others, user_id=user_id),
        )


LibraryPagesDep = Annotated[LibraryPages, Depends()]


@router.get("/library")
async def show_library(request: Request, pages: LibraryPagesDep) -> HTMLResponse:
    """The page of the library."""
    return await pages.show(f"/library?{request.url.query}" if request.url.query else "/library")


def _bounded(parameters: QueryParams) -> QueryParams:
    """The parameters that the page repeats, of each no more than are read: each filter has a link
    that holds all the others."""
    times = Counter[str]()
    kept = []
    for name, text in parameters.multi_items():
        times[name] += 1
        if name in _REPEATED and times[name] <= (MOST_NAMES if name == "advertiser" else 2):
            kept.append((name, text))
    return QueryParams(kept)


def _without(parameters: QueryParams, name: str, value: str) -> str:
    """The address of the same search without a filter."""
    left = [one for one in parameters.multi_items() if one != (name, value) and one[0] != "after"]
    return f"/library?{urlencode(left)}" if left else "/library"


async def _search(session: AsyncSession, parameters: QueryParams, user_id: int) -> _Shown:
    try:
        for name in ("q", "sort", "after"):
            check_once(name, parameters.getlist(name))
        written = read_parameters(parameters, user=user_id)
        found = await search_ads(
            session,
            query=parameters.get("q", ""),
            filters=await written.resolve(session),
            sort=choose("sort", Sort, parameters.get("sort")),
            limit=_PAGE,
            after=parameters.get("after") or None,
        )
    except InvalidQueryError as error:
        field = error.field if error.field in _FIELDS else ""
        return _Shown(problems={field: error.sentence})
    return _Shown(page=found)


async def _read_options(
    session: AsyncSession, user_id: int, texts: Texts
) -> dict[str, list[tuple[str, str]]]:
    """What the fields offer: values and how they are shown."""
    boards = await list_boards(session, user_id=user_id)
    tags = await list_tags(session, user_id=user_id)
    watches = await list_watch_names(session)
    names = await list_names(session, limit=_MOST_OFFERED)
    return {
        "advertiser": [(one, one) for one in names.values()],
        "board": [(one.name, one.name) for one in boards],
        "tag": [(one, one) for one in dict.fromkeys(row.tag for row in tags)],
        "watch": [(str(one), name) for one, name in watches.items()],
        "aspect": [
            *((one, texts(f"shape.{one}")) for one in ASPECTS),
            *((one, one) for one in _RATIOS),
        ],
        "format": [(one.value, texts(f"format.{one.value}")) for one in CreativeFormat],
        "platform": [(one.value, one.value.title()) for one in Platform],
        "event": [(one.value, texts(f"event.{one.value}")) for one in EventKind],
        "sort": [(one.value, texts(f"sort.{one.value}")) for one in Sort],
    }
