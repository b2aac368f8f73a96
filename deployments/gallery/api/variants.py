"""Variants for programs: listed, one with what people think of it, and statistics."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, Field

from adspark.models import VariantStatus
from adspark.validation.numbers import Whole
from adspark.validation.stored import clean_ad_id, is_ad_id
from adspark.variants.lists import list_variants
from adspark.variants.reviews.store import (
    StoredReview,
    VariantStatistics,
    list_reviews,
    read_statistics,
)
from adspark.variants.store import VariantSummary, read_variant, summary_of
from deployments.gallery.numbers import After, Number
from deployments.gallery.resources import SessionDep

router = APIRouter(tags=["variants"])
_SHOWN = 40  # characters of what is written in an id's place
_EXAMPLE = "CR01234567890123456789"


class VariantPage(BaseModel):
    """A page of variants."""

    variants: list[VariantSummary] = Field(description="The newest first.")
    next: int | None = Field(description="Where the next page begins; None: this was the last.")


class ReviewedVariant(BaseModel):
    """A variant with its reviews."""

    variant: VariantSummary
    reviews: list[StoredReview] = Field(description="One of each person, the latest last.")


def _read_ad_id(written: str) -> str:
    """The id of an ad, also within its address."""
    if not is_ad_id(found := clean_ad_id(written)):
        raise ValueError(
            f"{written[:_SHOWN]!r} is not an ad id; write CR and 20 digits, as {_EXAMPLE}"
        )
    return found


@router.get("/variants")
async def list_page(
    session: SessionDep,
    status: VariantStatus | None = None,
    ad: Annotated[
        str | None,
        BeforeValidator(_read_ad_id),
        Query(description="Id of the original, CR and 20 digits.", pattern="^CR[0-9]{20}$"),
    ] = None,
    limit: Annotated[Whole, Query(ge=1, le=1000)] = 50,
    after: After = None,
) -> VariantPage:
    """Variants, a page of them."""
    found = await list_variants(
        session, status=status, original_ad_id=ad, before=after, limit=limit + 1
    )
    variants = found[:limit]
    return VariantPage(variants=variants, next=variants[-1].id if len(found) > limit else None)


@router.get("/variants/statistics")
async def read_figures(session: SessionDep) -> VariantStatistics:
    """Figures over all variants."""
    return await read_statistics(session)


@router.get("/variants/{variant_id}")
async def read_one(session: SessionDep, variant_id: Number) -> ReviewedVariant:
    """One variant and its reviews."""
    variant = await read_variant(session, variant_id=variant_id)
    return ReviewedVariant(
        variant=summary_of(variant), reviews=await list_reviews(session, variant_id=variant_id)
    )
