"""One variant: beside its original, its reviews and runs; its picture and copy to download."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from adspark.errors import (
    ConfigurationError,
    ServiceUnavailableError,
    UnknownVariantError,
    UnusableContentError,
)
from adspark.library.search.page import read_found_ads
from adspark.media.paths import media_type
from adspark.media.similarity import compare_texts
from adspark.models import AdVariant, ReviewReason
from adspark.text.terminal import plain
from adspark.users.store import read_user_names
from adspark.variants.differences import compare_copy
from adspark.variants.progress import Step, read_step
from adspark.variants.reviews.decisions import read_decisions
from adspark.variants.reviews.store import list_reviews
from adspark.variants.reviews.waiting import find_next_waiting
from adspark.variants.state import is_retry_paid
from adspark.variants.store import read_original_copy, read_variant, summary_of
from deployments.gallery.failures import NotThereError
from deployments.gallery.generations import read_limits
from deployments.gallery.numbers import Number
from deployments.gallery.prefect_server import run_url
from deployments.gallery.resources import (
    Gallery,
    GalleryDep,
    PagesDep,
    SessionDep,
    VisitorPages,
)

router = APIRouter(include_in_schema=False)

_PATIENCE = 2.0  # with the media store; the page is of use without it


@router.get("/variants/{variant_id}")
async def show_variant(pages: PagesDep, variant_id: Number) -> HTMLResponse:
    """The page of a variant."""
    session, is_paused = pages.session, False
    if await read_step(session, variant_id=variant_id) is Step.PENDING:
        await session.rollback()  # no connection waits for Prefect
        is_paused = (await read_limits(pages.gallery)).paused_pool is not None
    variant = await read_variant(session, variant_id=variant_id)
    return await write_page(pages, variant, is_paused=is_paused)


async def write_page(
    pages: VisitorPages,
    variant: AdVariant,
    *,
    typed: dict[str, object] | None = None,
    problems: dict[str, str] | None = None,
    is_paused: bool = False,
) -> HTMLResponse:
    """The page of a variant, also after a review was refused.

    Args:
        pages: of who looks at it.
        variant: the row.
        typed: the values of the form as they were sent; None shows the visitor's own review.
        problems: what is wrong with them, by field.
        is_paused: whether it waits in a pool that is paused.
    """
    session, gallery, user_id = pages.session, pages.gallery, pages.visitor.user_id
    ads = await read_found_ads(session, ids=[variant.original_ad_id], user_id=user_id)
    reviews = await list_reviews(session, variant_id=variant.id)
    own = next((one for one in reviews if one.user_id == user_id), None)
    original = await read_original_copy(session, ad_creative_id=variant.original_ad_id)
    words = original.text if original is not None else ""
    step = await read_step(session, variant_id=variant.id)
    if step is None:
        raise UnknownVariantError(f"Variant {variant.id} was removed meanwhile.")
    decisions = await read_decisions(session, ids=[variant.id])
    check = summary_of(variant).rule_check
    original_picture = variant.original_path or (ads[0].thumbnail if ads else None)
    owners = [one.user_id for one in check.versions if one.user_id] if check else []
    return pages.page(
        "variant.html",
        status=422 if problems else 200,
        variant=variant,
        ad=ads[0] if ads else None,
        original_picture=original_picture,
        lost_pictures=await _find_lost(gallery, [original_picture, variant.image_path]),
        step=step,
        is_paused=is_paused,
        shown_status=decisions.get(variant.id, variant.status),
        reviews=[one for one in reviews if one is not own],
        own=own,
        users=await read_user_names(session, [variant.user_id, *owners]),
        form=typed or (own.model_dump() if own else {}),
        problems=problems or {},
        reasons=list(ReviewReason),
        original_copy=words,
        is_bought=original is not None and original.is_bought,
        passages=compare_copy(plain(words), plain(variant.description or "")),
        is_comparable=compare_texts(words, variant.description) is not None,
        check=check,
        too_close=(check and check.too_close) or gallery.settings.too_close,
        next_waiting=await find_next_waiting(session, after=variant.id),
        retry_is_paid=is_retry_paid(variant),
        runs=_list_runs(variant),
    )


@router.get("/variants/{variant_id}/progress")
async def tell_progress(session: SessionDep, variant_id: Number) -> dict[str, object]:
    """How far a variant is; the page of one that was removed meanwhile says so."""
    step = await read_step(session, variant_id=variant_id)
    return {"state": step or "removed", "is_open": step is not None and step.is_open}


@router.get("/variants/{variant_id}/picture")
async def send_picture(gallery: GalleryDep, session: SessionDep, variant_id: Number) -> Response:
    """The whole picture of a variant, to be kept as a file."""
    variant = await read_variant(session, variant_id=variant_id)
    path = variant.image_path
    kind = media_type(path) if path else None
    if path is None or kind is None:
        raise NotThereError("no_picture", "/variants")
    try:
        content = await gallery.media.read(path)
    except UnusableContentError as error:
        raise NotThereError("lost_picture", "/variants") from error
    return _attach(content, kind, f"{_file_name(variant)}.{path.rpartition('.')[2]}")


@router.get("/variants/{variant_id}/copy")
async def send_copy(session: SessionDep, variant_id: Number) -> Response:
    """The copy of a variant, to be kept as a file."""
    variant = await read_variant(session, variant_id=variant_id)
    if not variant.description:
        raise NotThereError("no_copy", "/variants")
    content = f"{variant.description}\n".encode()
    return _attach(content, "text/plain; charset=utf-8", f"{_file_name(variant)}.txt")


async def _find_lost(gallery: Gallery, paths: Sequence[str | None]) -> list[str]:
    """Which of them the media store has no more; none where it does not answer in time."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return [one for one in paths if one and not await gallery.media.has(one)]
    except (TimeoutError, ServiceUnavailableError, ConfigurationError):
        return []


def _list_runs(variant: AdVariant) -> list[tuple[str, str, str | None]]:
    """The flow runs of a variant: what each is for, its id, and its page in Prefect's UI."""
    runs = {"generation": variant.flow_run_id, "review": variant.review_run_id}
    return [(kind, str(run), run_url(run)) for kind, run in runs.items() if run is not None]


def _file_name(variant: AdVariant) -> str:
    return f"variant-{variant.id}"


def _attach(content: bytes, kind: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=kind, headers=headers)
