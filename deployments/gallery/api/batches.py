"""Batches for programs: listed, and one with its variants."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from adspark.validation.numbers import Whole
from adspark.variants.batches.lists import BatchSummary, list_batches, list_ranked, read_batch
from adspark.variants.batches.plan import MOST_GENERATIONS
from adspark.variants.store import VariantSummary
from deployments.gallery.numbers import After, Number
from deployments.gallery.resources import SessionDep

router = APIRouter(tags=["variants"])


class BatchPage(BaseModel):
    """A page of batches."""

    batches: list[BatchSummary] = Field(description="The newest first.")
    next: int | None = Field(description="Where the next page begins; None: this was the last.")


class RankedBatch(BaseModel):
    """A batch, and a page of its variants."""

    batch: BatchSummary
    variants: list[VariantSummary] = Field(description="The best first.")
    next: int | None = Field(description="Where the next page begins; None: this was the last.")


@router.get("/batches")
async def list_page(
    session: SessionDep,
    limit: Annotated[Whole, Query(ge=1, le=1000)] = 50,
    after: After = None,
) -> BatchPage:
    """Batches, a page of them, with how far each is."""
    found = await list_batches(session, before=after, limit=limit + 1)
    batches = found[:limit]
    return BatchPage(batches=batches, next=batches[-1].id if len(found) > limit else None)


@router.get("/batches/{batch_id}")
async def read_one(
    session: SessionDep,
    batch_id: Number,
    limit: Annotated[Whole, Query(ge=1, le=MOST_GENERATIONS)] = 50,
    after: Annotated[
        Whole, Query(ge=0, le=MOST_GENERATIONS, description="`next` of the page before.")
    ] = 0,
) -> RankedBatch:
    """How far a batch is, and its variants, a page of them."""
    batch = await read_batch(session, batch_id=batch_id)
    variants = await list_ranked(session, batch_id=batch_id, after=after, limit=limit)
    end = after + len(variants)
    has_more = bool(variants) and end < batch.variants
    return RankedBatch(batch=batch, variants=variants, next=end if has_more else None)
