"""The tool on variants: listed, or one with its reviews and its picture."""

from typing import Annotated

from pydantic import Field

from adspark.models import VariantStatus
from adspark.validation.bounds import LARGEST_ID
from adspark.validation.numbers import Whole
from adspark.validation.stored import clean_ad_id, is_ad_id, missing_ads
from adspark.variants.lists import list_variants
from adspark.variants.reviews.store import list_reviews, read_statistics
from adspark.variants.store import read_variant, summary_of
from deployments.gallery.api.variants import ReviewedVariant, VariantPage
from deployments.mcp.answers import Answer
from deployments.mcp.coverage import Coverage, own_records
from deployments.mcp.pictures import read_picture
from deployments.mcp.tool import Arguments, Asked, Text, tool

_Number = Annotated[Whole, Field(ge=1, le=LARGEST_ID)]
_OPEN = (VariantStatus.PENDING, VariantStatus.PROCESSING)


class VariantArguments(Arguments):
    """Which variant; without its number, which of them."""

    variant: Annotated[_Number | None, Field(description="Number of one; without: a list.")] = None
    status: VariantStatus | None = None
    ad: Annotated[Text | None, Field(description="Id of their original.")] = None
    limit: Annotated[Whole, Field(ge=1, le=100)] = 20
    after: Annotated[_Number | None, Field(description="`next` of the page before.")] = None


@tool("show_variants", "Variants and their reviews")
async def show(asked: Asked, arguments: VariantArguments) -> Answer:
    """Everybody's variants of ads, the newest first, with figures over all; or one of them with its
    picture, copy, similarity to the original and what people think of it.
    """
    if arguments.variant is None:
        return await _list(asked, arguments)
    arguments.check_only({"variant"}, "the number of a variant")
    session = asked.session
    variant = summary_of(await read_variant(session, variant_id=arguments.variant))
    reviews = await list_reviews(session, variant_id=variant.id)
    await session.rollback()  # no connection waits for the media store
    picture = await read_picture(asked.gallery.media, [variant.image_path, variant.thumbnail_path])
    coverage = own_records("AdSpark's own record of the variant, and all of its reviews.")
    if variant.status in _OPEN:
        coverage = Coverage(
            is_complete=False,
            looked_at=coverage.looked_at,
            not_looked_at=["It is not generated yet: what it will be is not known."],
        )
    found = {"variant": ReviewedVariant(variant=variant, reviews=reviews)}
    return Answer(coverage, found, [picture] if picture else [])


async def _list(asked: Asked, arguments: VariantArguments) -> Answer:
    ad = None if arguments.ad is None else clean_ad_id(arguments.ad)
    if ad is not None and not is_ad_id(ad):
        raise missing_ads("ad", [ad])
    found = await list_variants(
        asked.session,
        status=arguments.status,
        original_ad_id=ad,
        before=arguments.after,
        limit=arguments.limit + 1,
    )
    shown = found[: arguments.limit]
    has_more = len(found) > arguments.limit
    page = VariantPage(variants=shown, next=shown[-1].id if has_more else None)
    return Answer(
        own_records("All variants that were requested with AdSpark."),
        {"page": page, "figures_of_all": await read_statistics(asked.session)},
    )
