"""Batches on the terminal: the list, and one with its variants side by side."""

from collections.abc import Sequence

from rich.markup import escape

from adspark.text.counts import counted
from adspark.text.terminal import fit, plain
from adspark.variants.batches.forecast import Forecast
from adspark.variants.batches.lists import BatchSummary
from adspark.variants.batches.plan import BatchPlan
from adspark.variants.reviews.decisions import Decision
from adspark.variants.store import VariantSummary
from deployments.cli.empty_lists import print_none
from deployments.cli.variants.tables import PROMPT_WIDTH, print_table, similarity_cell
from deployments.terminal.output import out, print_facts, print_line
from deployments.terminal.tables import age, moment, table


def print_plan(plan: BatchPlan, forecast: Forecast) -> None:
    """What a batch would come to: its generations, and how long they take."""
    there = f", {plan.already_there} of them there already" if plan.already_there else ""
    print_line(
        f"{counted(plan.ads, 'ad')} by {counted(plan.prompts, 'prompt')}{there}: "
        f"{counted(plan.generations, 'generation')} to be paid."
    )
    if plan.generations:
        print_line(forecast.sentence)


def print_batches(batches: Sequence[BatchSummary], user: int | None) -> None:
    """The list, newest first; of a user's or of all."""
    if not batches:
        make = "make one with: adspark batch create"
        print_none("batch", asked={"user": user}, make=make, every="adspark batch list")
        return
    cells = [
        {
            "batch": one.id,
            "status": one.status.value,
            "done": f"{one.completed}/{one.variants}",
            "failed": one.failed or None,
            "cancelled": one.cancelled or None,
            "ads": one.ads,
            "prompts": one.prompts,
            "prompt": plain(one.prompt or ""),
            "user": one.user_id,
            "requested": age(one.created_at),
        }
        for one in batches
    ]
    out.print(table("Batches", cells, wraps="prompt"))


def print_batch(
    batch: BatchSummary,
    ranked: Sequence[VariantSummary],
    decisions: dict[int, Decision],
    forecast: Forecast | None,
) -> None:
    """One batch: how far it is, and its variants, the best first.

    Args:
        batch: how far it is.
        ranked: its variants, the best first.
        decisions: by variant, where people have decided.
        forecast: of the rest; None: nothing is open.
    """
    out.print(f"[bold]{escape(batch.headline.capitalize())}[/]")
    facts = {
        "requested": f"{moment(batch.created_at)} by user {batch.user_id}",
        "of": f"{counted(batch.ads, 'ad')} by {counted(batch.prompts, 'prompt')}",
        "left out": f"{batch.already_there}, there already" if batch.already_there else None,
        "to come": forecast and forecast.sentence,
    }
    print_facts(facts)
    cells = [_cells(place, one, decisions.get(one.id)) for place, one in enumerate(ranked, 1)]
    if cells:
        print_table("Variants, the best first", ranked, cells)
    if len(ranked) < batch.variants:
        print_line(f"The first {len(ranked)} of {batch.variants}; more with --limit.")
    if batch.failed:
        print_line("Why a variant failed: adspark variant show ID")


def _cells(place: int, variant: VariantSummary, decision: Decision | None) -> dict[str, object]:
    return {
        "rank": place,
        "variant": variant.id,
        "status": (decision or variant.status).value,
        "similar": similarity_cell(variant),
        "original": variant.original_ad_id[-4:],
        "prompt": fit(variant.prompt, PROMPT_WIDTH),
    }
