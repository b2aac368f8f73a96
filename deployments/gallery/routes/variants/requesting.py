"""The form that requests variants: checked, its cost said and confirmed, then started, once."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.search.page import FoundAd, read_found_ads
from adspark.text.counts import counted
from adspark.validation.bounds import LARGEST_ID, PROMPT
from adspark.validation.stored import check_storable, clean_ad_id
from adspark.variants.requests import (
    VariantRequest,
    check_originals,
    check_request,
    request_variants,
)
from deployments.gallery.access.visitor import SpenderDep, VisitorDep
from deployments.gallery.forms import OutdatedFormError, TypedFormDep
from deployments.gallery.generations import check_generator_takes, start_requested
from deployments.gallery.notices import lead_to
from deployments.gallery.resources import Gallery, GalleryDep, SessionDep

router = APIRouter(include_in_schema=False)

_MOST_ADS = 100  # of one request
_SHOWN = 40  # characters of what is written in an id's place
_MOST_NAMED = 3
_FIELDS = {"original_ad_id": "ad", "workspace_id": "workspace"}  # by the names of a flow's


@dataclass
class _Filled:
    """What the form holds, and what is wrong with it by field."""

    key: UUID
    ads: list[str]
    prompt: str = ""
    workspace: str = ""
    wants_review: bool = True
    problems: dict[str, str] = field(default_factory=dict)
    is_to_confirm: bool = False


@router.get("/variants/new")
async def show_form(
    request: Request, gallery: GalleryDep, session: SessionDep, visitor: VisitorDep
) -> Response:
    """The form for the ads of the address."""
    ads = request.query_params.getlist("ad")
    if set(request.query_params) - {"ad"}:  # from a form that has other fields too
        return lead_to(f"/variants/new?{urlencode({'ad': ads}, doseq=True)}")
    filled = _Filled(uuid4(), [])
    try:
        filled.ads = _read_ads(ads)
    except InvalidQueryError as error:
        _note(filled, error)
    return await _write_form(request, gallery, session, filled, user_id=visitor.user_id)


@router.post("/variants/new")
async def request_all(
    request: Request,
    gallery: GalleryDep,
    session: SessionDep,
    visitor: SpenderDep,
    form: TypedFormDep,
) -> Response:
    """Request a variant of each ad; of several, once their number was confirmed."""
    filled = _Filled(
        _read_key(form.written("key")),
        [],
        prompt=form.written("prompt").strip(),
        workspace=form.written("workspace").strip(),
        wants_review="review" in form,
    )
    try:
        filled.ads = _read_ads(form.opened().texts("ad"))
        for name in ("prompt", "workspace"):
            form.text(name)  # may be shown again, and not be kept
        requests, has_prefect = await _check(gallery, session, filled, visitor.user_id)
    except InvalidQueryError as error:
        _note(filled, error)
        return await _write_form(request, gallery, session, filled, user_id=visitor.user_id)
    if len(requests) > 1 and form.text("confirmed") != str(len(requests)):
        filled.is_to_confirm = True
        return await _write_form(request, gallery, session, filled, user_id=visitor.user_id)
    made = await request_variants(session, requests=requests, key=filled.key)
    await session.commit()
    is_started = has_prefect and await start_requested(session, made)
    said = "variant_requested" if is_started else "variant_not_started"
    page = f"/variants/{made[0]}" if len(made) == 1 else "/variants"
    return lead_to(page, said)


async def _check(
    gallery: Gallery, session: AsyncSession, filled: _Filled, user_id: int
) -> tuple[list[VariantRequest], bool]:
    """The requests, and whether Prefect answers; ends the transaction.

    Raises:
        InvalidQueryError: names the field; nothing was requested.
    """
    if not filled.ads:
        raise InvalidQueryError("ad", gallery.templates.texts("request.no_ad"))
    wanted = check_request(
        VariantRequest(
            original_ad_id="",
            prompt=filled.prompt,
            user_id=user_id,
            workspace_id=_read_workspace(filled.workspace),
            wants_review=filled.wants_review,
        )
    )
    await check_originals(session, filled.ads)
    await session.rollback()  # no connection waits for Prefect
    has_prefect = await check_generator_takes(gallery.settings, wanted.prompt)
    requests = [wanted.model_copy(update={"original_ad_id": one}) for one in filled.ads]
    return requests, has_prefect


async def _write_form(
    request: Request, gallery: Gallery, session: AsyncSession, filled: _Filled, *, user_id: int
) -> HTMLResponse:
    ads: list[FoundAd] = []
    if filled.ads:
        ads = await read_found_ads(session, ids=filled.ads, user_id=user_id)
    known = {one.ad_creative_id for one in ads}
    missing = [one for one in filled.ads if one not in known]
    if missing:
        named = ", ".join(one[:_SHOWN] for one in missing[:_MOST_NAMED])
        filled.problems["ad"] = gallery.templates.texts("request.missing", ads=named)
    return gallery.templates.page(
        request,
        "variant_request.html",
        status=422 if filled.problems else 200,
        filled=filled,
        ads=ads,
        missing=missing,
        problems=filled.problems,
        longest_prompt=PROMPT.most,
    )


def _note(filled: _Filled, error: InvalidQueryError) -> None:
    name = _FIELDS.get(error.field, error.field)
    filled.problems[name] = error.reason


def _read_ads(written: list[str]) -> list[str]:
    """The ids that are meant, each once; several may be written in one field."""
    for one in written:
        check_storable("ad", one)
    ids = [clean_ad_id(word) for one in written for word in one.replace(",", " ").split()]
    found = list(dict.fromkeys(ids))
    if len(found) > _MOST_ADS:
        raise InvalidQueryError("ad", f"{counted(len(found), 'ad')}; at most {_MOST_ADS} at once.")
    return found


def _read_key(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        raise OutdatedFormError from None


def _read_workspace(written: str) -> int | None:
    if not written:
        return None
    if not re.fullmatch("[0-9]{1,10}", written) or int(written) > LARGEST_ID:
        raise InvalidQueryError("workspace_id", "is a number, or empty.")
    return int(written)
