"""An ad: everything that is stored about it, and the ads that are like it."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from adspark.library.ads.similar import find_similar
from adspark.library.search.page import read_found_ads
from adspark.validation.stored import clean_ad_id, is_ad_id
from deployments.gallery.notices import lead_to
from deployments.gallery.resources import GalleryDep
from deployments.gallery.routes.ads.view import AdPagesDep

router = APIRouter(include_in_schema=False)

_MOST_SIMILAR = 12


@router.get("/ads")
async def find_ad(request: Request, gallery: GalleryDep, address: str = "") -> Response:
    """Lead to the page of the ad that an id, or its address in the Transparency Center, names."""
    ad_id = clean_ad_id(address)
    if is_ad_id(ad_id):
        return lead_to(f"/ads/{ad_id}")
    status = 422 if address.strip() else 200
    return gallery.templates.page(request, "ad_find.html", status=status, written=address)


@router.get("/ads/{ad_id}")
async def show_ad(pages: AdPagesDep, ad_id: str) -> Response:
    """The page of an ad."""
    if (written := clean_ad_id(ad_id)) != ad_id:
        query = pages.request.url.query
        return lead_to(f"/ads/{written}{'?' if query else ''}{query}")
    return await pages.show(ad_id)


@router.get("/ads/{ad_id}/similar")
async def show_similar(pages: AdPagesDep, ad_id: str) -> HTMLResponse:
    """The ads that look like an ad or share its words; a part of its page, loaded after it."""
    ad = await pages.read(ad_id)
    if ad is None:
        return pages.show_missing(ad_id)
    found = await find_similar(pages.session, ad_creative_id=ad_id, limit=_MOST_SIMILAR)
    listed = await read_found_ads(
        pages.session,
        ids=[one.ad_creative_id for one in found.ads],
        user_id=pages.visitor.user_id,
    )
    return pages.page(
        "ad_similar.html",
        ad=ad,
        listed=listed,
        similar={one.ad_creative_id: one for one in found.ads},
        notes=found.notes,
    )
