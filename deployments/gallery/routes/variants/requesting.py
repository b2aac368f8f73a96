"""The form that requests variants: checked, its cost said and confirmed, then started, once.

One ad and one prompt are a variant; several of either are a batch.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import ChangedMeanwhileError, InvalidQueryError
from adspark.library.search.page import FoundAd, read_found_ads
from adspark.text.counts import counted
from adspark.validation.bounds import ID
from adspark.validation.numbers import read_whole
from adspark.validation.stored import check_storable, clean_ad_id
from adspark.validation.uuids import parse_uuid
from adspark.variants.batches.forecast import Forecast, foresee
from adspark.variants.batches.plan import (
    BatchPlan,
    BatchRequest,
    check_batch,
    create_batch,
    plan_batch,
)
from adspark.variants.requests import VariantRequest, check_originals, request_variants
from adspark.variants.store import read_variant
from deployments.gallery.access.visitor import SpenderDep
from deployments.gallery.forms import OutdatedFormError, TypedFormDep
from deployments.gallery.generations import (
    check_generator_takes,
    read_limits,
    start_requested,
    start_requested_batch,
)
from deployments.gallery.notices import lead_to
from deployments.gallery.resources import PagesDep, VisitorPages

router = APIRouter(include_in_schema=False)

_MOST_ADS = 100  # of one request
_SHOWN = 40  # characters of what is written in an id's place
_MOST_NAMED = 3
_FIELDS = {
    "original_ad_id": "ad",
    "ads": "ad",
    "workspace_id": "workspace",
    "parent_id": "of",
}  # by the names of a flow's


@dataclass
class _Filled:
    """What the form holds, and what is wrong with it by field."""

    key: UUID
    ads: list[str]
    prompts: list[str] = field(default_factory=list)
    workspace: str = ""
    parent: int | None = None
    wants_review: bool = True
    problems: dict[str, str] = field(default_factory=dict)
    plan: BatchPlan | None = None
    forecast: Forecast | None = None

    @property
    def is_to_confirm(self) -> bool:
        """Whether it is shown what it comes to."""
        return self.plan is not None


@router.get("/variants/new")
async def show_form(pages: PagesDep) -> Response:
    """The form for the ads of the address."""
    given = pages.request.query_params
    ads = given.getlist("ad")
    if set(given) - {"ad", "of"}:  # from a form that has other fields too
        return lead_to(f"/variants/new?{urlencode({'ad': ads}, doseq=True)}")
    filled = _Filled(uuid4(), [])
    try:
        filled.parent = _read_number("parent_id", given.get("of", ""))
        filled.ads = _read_ads(ads)
        _check_number(filled.ads)
    except InvalidQueryError as error:
        _note(filled, error)
    if filled.parent is not None:
        await read_variant(pages.session, variant_id=filled.parent)
    return await _write_form(pages, filled)


@router.post("/variants/new")
async def request_all(pages: PagesDep, _: SpenderDep, form: TypedFormDep) -> Response:
    """Request a variant of each ad by each prompt; several, once their number was confirmed."""
    session = pages.session
    if (key := parse_uuid(form.written("key"))) is None:
        raise OutdatedFormError
    filled = _Filled(
        key,
        [],
        prompts=[one.strip() for one in form.all_written("prompt") if one.strip()],
        workspace=form.written("workspace").strip(),
        wants_review="review" in form,
    )
    try:
        filled.ads = _read_ads(form.opened().texts("ad"))
        _check_number(filled.ads)
        filled.parent = _read_number("parent_id", form.written("of").strip())
        for name in ("prompt", "workspace"):
            form.texts(name)  # may be shown again, and not be kept
        wanted, has_prefect = await _check(pages, filled)
        is_one = len(wanted.ads) == len(wanted.prompts) == 1
        made = await _request(session, wanted, filled, form.text("confirmed"))
    except InvalidQueryError as error:
        await session.rollback()
        _note(filled, error)
        return await _write_form(pages, filled)
    if made is None:
        await _preview(pages, filled, wanted)
        return await _write_form(pages, filled)
    await session.commit()
    is_started = has_prefect and await (
        start_requested(session, [made]) if is_one else start_requested_batch(session, made)
    )
    said = "variant_requested" if is_started else "variant_not_started"
    return lead_to(f"/variants/{made}" if is_one else f"/variants/batches/{made}", said)


async def _request(
    session: AsyncSession, wanted: BatchRequest, filled: _Filled, confirmed: str
) -> int | None:
    """The number of the variant or batch; None where its generations are to be confirmed first.

    Raises:
        InvalidQueryError: names the field; nothing was requested.
    """
    if len(wanted.ads) == len(wanted.prompts) == 1:
        one = VariantRequest(
            original_ad_id=wanted.ads[0],
            prompt=wanted.prompts[0],
            user_id=wanted.user_id,
            workspace_id=wanted.workspace_id,
            wants_review=wanted.wants_review,
            parent_id=filled.parent,
        )
        return (await request_variants(session, requests=[one], key=filled.key))[0]
    if filled.parent is not None:
        raise InvalidQueryError("prompt", "a variant of a variant takes one prompt.")
    try:
        number = int(confirmed) if re.fullmatch("[0-9]{1,5}", confirmed) else 0
        return await create_batch(session, wanted, key=filled.key, confirmed=number)
    except ChangedMeanwhileError:
        return None


async def _preview(pages: VisitorPages, filled: _Filled, wanted: BatchRequest) -> None:
    """Fill in what it comes to."""
    await pages.session.rollback()  # no connection waits for Prefect
    limits = await read_limits(pages.gallery)
    filled.plan = await plan_batch(pages.session, wanted)
    filled.forecast = await foresee(pages.session, filled.plan.generations, limits)


async def _check(pages: VisitorPages, filled: _Filled) -> tuple[BatchRequest, bool]:
    """The checked request, and whether Prefect answers; ends the transaction.

    Raises:
        InvalidQueryError: names the field; nothing was requested.
    """
    if not filled.ads:
        raise InvalidQueryError("ad", pages.texts("request.no_ad"))
    wanted = check_batch(
        BatchRequest(
            ads=tuple(filled.ads),
            prompts=tuple(filled.prompts),
            user_id=pages.visitor.user_id,
            workspace_id=_read_number("workspace_id", filled.workspace),
            wants_review=filled.wants_review,
        )
    )
    await check_originals(pages.session, filled.ads)
    await pages.session.rollback()  # no connection waits for Prefect
    has_prefect = await check_generator_takes(pages.gallery.settings, wanted.prompts)
    return wanted, has_prefect


async def _write_form(pages: VisitorPages, filled: _Filled) -> HTMLResponse:
    ads: list[FoundAd] = []
    if filled.ads:
        user_id = pages.visitor.user_id
        ads = await read_found_ads(pages.session, ids=filled.ads, user_id=user_id)
    known = {one.ad_creative_id for one in ads}
    missing = [one for one in filled.ads if one not in known]
    if missing and len(filled.ads) <= _MOST_ADS:  # else there is something else to do first
        named = ", ".join(one[:_SHOWN] for one in missing[:_MOST_NAMED])
        filled.problems["ad"] = pages.texts("request.missing", ads=named)
    return pages.page(
        "variant_request.html",
        status=422 if filled.problems else 200,
        filled=filled,
        ads=ads,
        missing=missing,
        plan=filled.plan,
        forecast=filled.forecast,
        problems=filled.problems,
        most_ads=_MOST_ADS,
    )


def _note(filled: _Filled, error: InvalidQueryError) -> None:
    name = _FIELDS.get(error.field, error.field)
    filled.problems[name] = error.sentence


def _read_ads(written: list[str]) -> list[str]:
    """The ids that are meant, each once; several may be written in one field."""
    for one in written:
        check_storable("ad", one)
    ids = [clean_ad_id(word) for one in written for word in one.replace(",", " ").split()]
    return list(dict.fromkeys(ids))


def _check_number(ads: list[str]) -> None:
    """Raises InvalidQueryError where they are too many for one request."""
    if len(ads) > _MOST_ADS:
        raise InvalidQueryError("ad", f"{counted(len(ads), 'ad')}; at most {_MOST_ADS} at once.")


def _read_number(field: str, written: str) -> int | None:
    if not written:
        return None
    if (number := read_whole(written)) is None:
        raise InvalidQueryError(field, "is a number, or empty.")
    ID.check(field, number)
    return number
