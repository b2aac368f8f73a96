"""`adspark variant list`, `show`, `open`, `stats`, `outcomes`: what there is, and how it fares."""

from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Option

from adspark.errors import UnusableContentError
from adspark.media.store import MediaStore
from adspark.models import VariantStatus
from adspark.settings import media_url
from adspark.text.sentences import with_full_stop
from adspark.variants.lists import list_variants
from adspark.variants.reviews.approvals import read_outcomes
from adspark.variants.reviews.store import StoredReview, list_reviews, read_statistics
from adspark.variants.reviews.waiting import read_waiting
from adspark.variants.store import VariantSummary, read_variant, summary_of
from deployments.cli.database import current_settings, in_session
from deployments.cli.options import JsonOption, choice_option
from deployments.cli.variants import options
from deployments.cli.variants.documents import (
    VariantFigures,
    VariantList,
    VariantOutcomes,
    VariantPicture,
    VariantReport,
)
from deployments.cli.variants.tables import (
    print_outcomes,
    print_statistics,
    print_variant,
    print_variants,
)
from deployments.terminal.output import out, print_json, print_line

_SHOWN = 20  # variants of a list, by default
_MOST_SHOWN = 10_000


def list_all(
    status: Annotated[
        VariantStatus | None, choice_option(VariantStatus, "--status", "Only these.")
    ] = None,
    user: options.Whose = None,
    ad: Annotated[str | None, Option(parser=options.ad_id, help="Of this original.")] = None,
    limit: Annotated[int, Option(min=1, max=_MOST_SHOWN, help="How many, newest first.")] = _SHOWN,
    as_json: JsonOption = False,
) -> None:
    """List the variants, newest first, and the reviews that wait for a person."""

    async def act(session: AsyncSession) -> tuple[list[VariantSummary], list[int]]:
        found = await list_variants(
            session, status=status, user_id=user, original_ad_id=ad, limit=limit
        )
        return found, await read_waiting(session, user_id=user)

    found, waiting = in_session(act)
    asked = {"status": status and status.value, "user": user, "ad": ad}
    document = VariantList(variants=found, reviews_waiting=waiting)
    print_json(document) if as_json else print_variants(found, waiting, asked)


def show(variant: options.VariantId, as_json: JsonOption = False) -> None:
    """Show all about one variant: prompt, copy, pictures, reviews."""

    async def act(session: AsyncSession) -> tuple[VariantSummary, list[StoredReview]]:
        found = await read_variant(session, variant_id=variant)
        return summary_of(found), await list_reviews(session, variant_id=variant)

    summary, reviews = in_session(act)
    if as_json:
        print_json(VariantReport.of(summary, reviews=reviews))
    else:
        print_variant(summary, reviews, MediaStore(media_url(current_settings())))


def open_picture(
    variant: options.VariantId,
    original: Annotated[bool, Option("--original", help="The original's picture.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print where a variant's picture is and, in a terminal, open it in the system's viewer."""
    summary = summary_of(in_session(lambda session: read_variant(session, variant_id=variant)))
    path = summary.original_path if original else summary.image_path
    if path is None:
        raise UnusableContentError(with_full_stop(f"There is no such picture: {summary.headline}"))
    place = MediaStore(media_url(current_settings())).locate(path)
    if as_json:
        print_json(VariantPicture(variant_id=variant, place=place))
        return
    print_line(escape(place))
    if out.is_terminal:
        typer.launch(place)


def stats(user: options.Whose = None, as_json: JsonOption = False) -> None:
    """Show how variants fare: approval, rating, time, failures by cause."""
    figures = in_session(lambda session: read_statistics(session, user_id=user))
    print_json(VariantFigures.of(figures)) if as_json else print_statistics(figures)


def outcomes(user: options.Whose = None, as_json: JsonOption = False) -> None:
    """Show what is approved, by prompt, advertiser and reviewer, and how far reviewers agree."""
    found = in_session(lambda session: read_outcomes(session, user_id=user))
    print_json(VariantOutcomes.of(found)) if as_json else print_outcomes(found)
