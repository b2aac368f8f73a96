"""Compare: two to four advertisers side by side, on the same scales."""

from collections import Counter
from dataclasses import dataclass, field

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.insight.figures import read_share
from adspark.library.advertisers.listing import list_names
from adspark.library.advertisers.named import resolve_another
from adspark.text.terminal import plain
from adspark.validation.days import today
from deployments.gallery.resources import PagesDep
from deployments.gallery.routes.advertisers.profiles import (
    DEFAULT_SPAN,
    SPANS,
    Profile,
    draw_charts,
    read_profiles,
    read_span,
)
from deployments.gallery.texts import Texts

router = APIRouter(include_in_schema=False)

_LEAST, _MOST = 2, 4  # advertisers
_MOST_OFFERED = 200  # names
_LONGEST = 2  # ads of each


@dataclass
class _Chosen:
    """Who is compared, and what is wrong with each field of the form."""

    ids: list[str] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)


@router.get("/compare")
async def compare_advertisers(pages: PagesDep) -> HTMLResponse:
    """The form, and below it the advertisers that it names."""
    parameters, session = pages.request.query_params, pages.session
    written = [one.strip() for one in parameters.getlist("advertiser") if one.strip()]
    written = written[: _MOST + 1]
    chosen = await _choose(session, written, pages.texts)
    weeks_problem, span = "", DEFAULT_SPAN
    try:
        span = read_span(parameters.get("weeks"))
    except InvalidQueryError as error:
        weeks_problem = error.sentence
    profiles: list[Profile] = []
    if not chosen.problems:
        await session.close()  # its connection is free for the profiles
        profiles = await read_profiles(
            pages.gallery.database,
            advertiser_ids=chosen.ids,
            user_id=pages.visitor.user_id,
            span=span,
            longest=_LONGEST,
        )
    offered = await list_names(session, limit=_MOST_OFFERED)
    shares = await read_share(session, advertiser_ids=chosen.ids, day=today(), limit=_MOST)
    return pages.page(
        "compare.html",
        status=422 if chosen.problems or weeks_problem else 200,
        compared=list(zip(profiles, draw_charts(profiles), strict=True)),
        shares={one.advertiser_id: one.share_of_creatives_seen for one in shares},
        most_mixed=_most_mixed(profiles),
        fields=_fill_fields(written, offered),
        problems=chosen.problems,
        weeks_problem=weeks_problem,
        offered=offered,
        span=span,
        spans=SPANS,
    )


async def _choose(session: AsyncSession, written: list[str], texts: Texts) -> _Chosen:
    """The advertisers that the fields name; no one and nothing wrong where all are empty."""
    chosen = _Chosen()
    for place, name in enumerate(written):
        if place >= _MOST:
            chosen.problems[place] = texts("compare.too_many", most=_MOST)
            break
        try:
            found = await resolve_another(session, name=name, chosen=chosen.ids)
        except InvalidQueryError as error:
            chosen.problems[place] = error.sentence
            continue
        chosen.ids.append(found)
    if written and len(written) < _LEAST:
        chosen.problems.setdefault(len(written), texts("compare.too_few", least=_LEAST))
    return chosen


def _fill_fields(written: list[str], offered: dict[str, str]) -> list[str]:
    """What the fields show: names in place of numbers, where only one has the name."""
    counts = Counter(name.lower() for name in offered.values())
    names = {
        one: name
        for one, name in offered.items()
        if name == plain(name).strip() != "" and counts[name.lower()] == 1
    }
    return [names.get(one, one) for one in written] + [""] * (_MOST - len(written))


def _most_mixed(profiles: list[Profile]) -> dict[str, int]:
    """Of each kind of bars the greatest number of ads, by which all are drawn."""
    return {
        "format": max((row.ads for one in profiles for row in one.of_kind("format")), default=1),
        "size": max((row.ads for one in profiles for row in one.of_kind("size")), default=1),
        "region": max((row.ads for one in profiles for row in one.regions), default=1),
    }
