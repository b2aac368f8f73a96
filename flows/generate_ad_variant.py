"""Generate a variant of an ad: render the original, generate the variant, save the result.

Blocks: dify-workflow/adspark or chat-model/adspark, adspark-database/adspark. Limits: 1800 s an
attempt, 30 generations a minute over all workers. Tables: ad_variant, creative, creative_detail.
"""

import asyncio
from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from adspark.db.engine import Database
from adspark.errors import PausedError, PostponedError
from adspark.media.store import MediaStore
from adspark.models import DEFAULT_USER, VariantStatus
from adspark.settings import get_settings, media_url
from adspark.validation.bounds import AD_ID, PROMPT
from adspark.variants.generate import claim_variant
from adspark.variants.report import write_variant
from adspark.variants.requests import VariantRequest
from adspark.variants.store import VariantSummary, read_variant, summary_of
from blocks.adspark_database import connect_database
from flows.endings import PLAIN_JSON, cancelled, completed, failed
from flows.parameters import OptionalId, UserId, label, names_parameter
from orchestration.limits.retry_policy import retried_task
from orchestration.runs.batch_runs import start_next_of_batch
from orchestration.runs.flow_runs import own_run_id
from orchestration.runs.variant_runs import cancel_variant, is_being_cancelled
from tasks.generate_variant import generate_variant
from tasks.render_original import render_original
from tasks.request_review import request_review
from tasks.request_variant import request_variant


@flow(name="generate-ad-variant", persist_result=True, result_serializer=PLAIN_JSON)
async def generate_ad_variant(
    original_ad_id: Annotated[str, AD_ID, label("Original ad id")],
    prompt: Annotated[str, PROMPT, label("Prompt")],
    user_id: UserId = DEFAULT_USER,
    variant_id: Annotated[OptionalId, label("Variant id")] = None,
    workspace_id: Annotated[OptionalId, label("Workspace id")] = None,
    review: Annotated[bool, label("Review")] = False,
) -> VariantSummary:
    """Generate a variant of a stored ad; what was begun before is resumed, not paid again.

    Args:
        original_ad_id: The stored ad, CR and 20 digits.
        prompt: What the variant should be like.
        user_id: Who wants it.
        variant_id: A variant that was requested before; empty requests a new one.
        workspace_id: The workspace that it belongs to.
        review: Whether a person is to review it once it is finished.
    """
    request = VariantRequest(
        original_ad_id=original_ad_id,
        prompt=prompt,
        user_id=user_id,
        workspace_id=workspace_id,
        wants_review=review,
    )
    async with connect_database() as database:
        with names_parameter("variant_id"):
            number = await request_variant(request, variant_id, own_run_id())
        await start_next_of_batch(database, number)
        try:
            summary = await _make(database, number)
        except asyncio.CancelledError:
            if await is_being_cancelled(own_run_id()):
                await cancel_variant(number, of_run=own_run_id())
            raise
        except PausedError as error:
            return completed(await _read(database, number), f"variant {number} waits: {error}")
        except PostponedError as error:
            return failed(VariantSummary, f"variant {number} waits: {error}", name="Postponed")
        except Exception:
            if (await _read(database, number)).status is VariantStatus.CANCELLED:
                return cancelled(VariantSummary, f"variant {number} was cancelled")
            raise
        await show_variant(summary)
        if summary.wants_review:
            await request_review(number)
    return completed(summary, summary.headline)


async def show_variant(summary: VariantSummary) -> None:
    """Original and variant side by side, under Artifacts in the UI."""
    media = MediaStore(media_url(get_settings()))
    await acreate_markdown_artifact(
        await write_variant(media, summary),
        key=f"variant-{summary.id}",
        description=summary.headline,
    )


async def _make(database: Database, variant_id: int) -> VariantSummary:
    generator = get_settings().generator
    async with claim_variant(
        database, variant_id, flow_run_id=own_run_id(), generator=generator
    ) as variant:
        if variant.status == VariantStatus.COMPLETED:
            return summary_of(variant)
        await render_original(variant_id)
        return await generate_variant(variant_id, variant.generator or generator)


@retried_task()
async def _read(database: Database, variant_id: int) -> VariantSummary:
    async with database.session() as session:
        return summary_of(await read_variant(session, variant_id=variant_id))
