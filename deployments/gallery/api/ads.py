"""Stored ads for programs: searched by page, one with all that is known, and ads like it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException

from adspark.errors import InvalidQueryError
from adspark.library.ads.report import AdReport, read_ad
from adspark.library.ads.similar import SimilarAds, find_similar
from adspark.library.filters.written import choose, read_parameters
from adspark.library.search.cursor import Sort
from adspark.library.search.page import AdPage, search_ads
from adspark.validation.numbers import Whole
from adspark.validation.stored import clean_ad_id
from deployments.gallery.access.visitor import VisitorDep
from deployments.gallery.api.parameters import SEARCH
from deployments.gallery.resources import SessionDep

router = APIRouter(tags=["ads"])


@router.get("/ads", openapi_extra=SEARCH)
async def search(
    request: Request,
    session: SessionDep,
    visitor: VisitorDep,
    limit: Annotated[Whole, Query(ge=1, le=1000, description="Ads of a page.")] = 60,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> AdPage:
    """The stored ads that have the words and fulfil all filters, a page of them."""
    parameters = request.query_params
    written = read_parameters(parameters, user=visitor.user_id)
    return await search_ads(
        session,
        query=parameters.get("q", ""),
        filters=await written.resolve(session),
        sort=choose("sort", Sort, parameters.get("sort")),
        limit=limit,
        after=after or None,
    )


@router.get("/ads/{ad_creative_id}")
async def read_one(session: SessionDep, visitor: VisitorDep, ad_creative_id: str) -> AdReport:
    """Everything that is stored about an ad."""
    try:
        return await read_ad(
            session, ad_creative_id=clean_ad_id(ad_creative_id), user_id=visitor.user_id
        )
    except InvalidQueryError as error:
        raise _unknown(error) from error


@router.get("/ads/{ad_creative_id}/similar")
async def read_similar(
    session: SessionDep,
    ad_creative_id: str,
    limit: Annotated[Whole, Query(ge=1, le=200)] = 20,
) -> SimilarAds:
    """The stored ads that look like an ad, or have most of its words."""
    try:
        return await find_similar(session, ad_creative_id=clean_ad_id(ad_creative_id), limit=limit)
    except InvalidQueryError as error:
        raise _unknown(error) from error


def _unknown(error: InvalidQueryError) -> HTTPException:
    return HTTPException(404, error.sentence)
