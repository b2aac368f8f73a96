"""Details of an ad on demand: what they cost, their look-up, and how far it is."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from adspark.errors import ConfigurationError, InvalidQueryError, ServiceUnavailableError
from adspark.library.ads.details import plan_details
from deployments.gallery.access.visitor import SpenderDep
from deployments.gallery.forms import FormDep, read_key
from deployments.gallery.notices import lead_to
from deployments.gallery.routes.ads.view import AdPagesDep
from deployments.gallery.runs import start_once

router = APIRouter(include_in_schema=False)

_FLOW = "fetch-details"


@router.get("/ads/{ad_id}/details")
async def show_details(pages: AdPagesDep, ad_id: str) -> HTMLResponse:
    """The part of an ad's page on its details, with what the account has left."""
    followed = await pages.follow_run(ad_id)
    ad = await pages.read(ad_id)
    if ad is None:
        return pages.show_missing(ad_id)
    details = pages.details_of(ad, followed)
    if not details["is_known"]:
        await pages.session.rollback()  # its connection does not wait for SerpApi
        details["searches"] = await pages.gallery.searches.read(pages.gallery.database)
    return pages.page("ad_details.html", problems={}, **details)


@router.post("/ads/{ad_id}/details")
async def look_up(pages: AdPagesDep, visitor: SpenderDep, form: FormDep, ad_id: str) -> Response:
    """Start the look-up of an ad's details, unless they are known or it is under way."""
    try:
        plan = await plan_details(pages.session, ads=[ad_id], most=1)
    except InvalidQueryError:
        return pages.show_missing(ad_id)
    await pages.session.rollback()  # nobody waits for the ad's lock while Prefect answers
    if not plan.ads:
        return lead_to(f"/ads/{ad_id}#details")
    try:
        run_id = await start_once(_FLOW, {"ads": [*plan.ads]}, key=read_key(form))
    except ServiceUnavailableError as error:
        return await pages.show(ad_id, status=503, problems={"details": error.sentence})
    except ConfigurationError as error:
        return await pages.show(ad_id, status=422, problems={"details": error.sentence})
    return lead_to(f"/ads/{ad_id}?run={run_id}#details")
