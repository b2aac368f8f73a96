"""Variants on the terminal: the list, all about one, and the figures."""

import re
from collections.abc import Mapping, Sequence

from rich.markup import escape

from adspark.media.store import MediaStore
from adspark.rules.verdicts import RuleCheck
from adspark.text.counts import counted
from adspark.text.terminal import fit, plain
from adspark.variants.report import describe_similarity
from adspark.variants.reviews.approvals import Group, Outcomes
from adspark.variants.reviews.share import Share
from adspark.variants.reviews.store import StoredReview, VariantStatistics
from adspark.variants.store import VariantSummary
from deployments.cli.empty_lists import print_none
from deployments.terminal.output import out, print_facts, print_line
from deployments.terminal.tables import age, moment, table

PROMPT_WIDTH = 200
"""Columns of a prompt at most, in a list on a wide terminal."""

_MOST_WAITING = 10  # variants named that wait for a review
_AD_ID = re.compile(r"^(CR\d{4})\d{12}(\d{4})$")  # shown by both its ends
_DECISIONS = {True: "approved", False: "rejected", None: "open"}


def print_variants(
    variants: Sequence[VariantSummary], waiting: Sequence[int], asked: Mapping[str, object]
) -> None:
    """The list, newest first, and the ids of those that wait for a review.

    Args:
        variants: that are listed.
        waiting: for a review.
        asked: what was given to the options that choose among all variants; None: nothing.
    """
    if not variants:
        make = "request one with: adspark variant request"
        print_none("variant", asked=asked, make=make, every="adspark variant list")
        return
    print_table("Variants", variants, [_cells(one) for one in variants])
    if any(one.is_too_close for one in variants):
        out.print("! too close to its original")
    if waiting:
        shown = ", ".join(map(str, waiting[:_MOST_WAITING]))
        more = ", …" if len(waiting) > _MOST_WAITING else ""
        print_line(
            f"{counted(len(waiting), 'review')} to be done: {shown}{more}; "
            f"for one: adspark variant review {waiting[0]}"
        )


def print_table(
    title: str, variants: Sequence[VariantSummary], cells: Sequence[dict[str, object]]
) -> None:
    """A table of variants, with the checks of brand rules that failed where there were any.

    Args:
        title: of the table.
        variants: in their order.
        cells: of each, by its heading.
    """
    if any(one.rule_check for one in variants):
        cells = [cell | {"broken": _broken(one)} for cell, one in zip(cells, variants, strict=True)]
    out.print(table(title, cells, cuts="prompt"))
    if any(map(_broken, variants)):
        print_line("broken: how many checks of brand rules failed; see adspark variant show ID")


def print_variant(
    variant: VariantSummary, reviews: Sequence[StoredReview], media: MediaStore
) -> None:
    """One variant: where its pictures are, its copy, how it was judged.

    Args:
        variant: as it is listed.
        reviews: of it, the latest last.
        media: where its pictures are.
    """
    out.print(f"[bold]Variant {variant.id}[/] of {variant.original_ad_id}: {variant.status}")
    print_facts(_facts(variant, media))
    if variant.description:
        out.print("")
        for line in plain(variant.description.strip()).split("\n"):
            print_line(f"  {escape(line)}".rstrip())
    if variant.rule_check is not None:
        print_check(variant.rule_check)
    if reviews:
        out.print(table("Reviews", [_review(one) for one in reviews], wraps="comment"))


def print_check(check: RuleCheck) -> None:
    """The verdicts of brand rules, one after the other, and how many there are of each."""
    cells = [
        {
            "rule": one.rule.value.replace("_", " "),
            "on": one.part.value,
            "verdict": one.verdict.words,
            "why": plain(one.reason),
        }
        for one in check.verdicts
    ]
    out.print(table("Brand rules", cells, wraps="why"))
    print_line(escape(f"{check.headline}."))


def print_statistics(figures: VariantStatistics) -> None:
    """The figures, and below them why variants failed."""
    rate, rating, seconds = figures.approval_rate, figures.mean_rating, figures.mean_seconds
    counts = {
        "completed": figures.completed,
        "failed": figures.failed,
        "cancelled": figures.cancelled,
        "open": figures.pending + figures.processing,
    }
    shown = {
        "variants": ", ".join(f"{count} {name}" for name, count in counts.items()),
        "too close": f"{figures.too_close} to their originals",
        "approved": "none reviewed"
        if rate is None
        else Share.of(figures.approved, figures.approved + figures.rejected).sentence,
        "rating": "none" if rating is None else f"{rating:.1f} of 5",
        "time": "none yet" if seconds is None else f"{seconds:.0f} s, from claimed to completed",
    }
    print_facts(shown)
    if figures.failures:
        causes = [
            {
                "failed": cause.variants,
                "kind": _in_words(cause.kind),
                "latest": plain(cause.latest or ""),
            }
            for cause in figures.failures
        ]
        out.print(table("Failures by cause", causes, wraps="latest"))


def _in_words(kind: str) -> str:
    """The name of an error's class, as `quota exhausted` for `QuotaExhaustedError`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removesuffix("Error")).lower()


def print_outcomes(outcomes: Outcomes) -> None:
    """A table for each group, and how far reviewers agree."""
    for group in Group:
        cells = [
            {group.value: plain(one.name), "approved": one.approved.sentence}
            for one in outcomes.by(group)
        ]
        if cells:
            out.print(table(f"By {group.value}", cells, wraps=group.value))
    if not outcomes.approvals:
        print_line("Nobody has decided on a variant yet.")
    if outcomes.agreement.cases:
        print_line(f"Reviewers of the same variant agree in {outcomes.agreement.sentence}.")
    else:
        print_line("Whether reviewers agree is not known: no two decided on the same variant.")


def _cells(variant: VariantSummary) -> dict[str, object]:
    confidence = variant.confidence_score
    return {
        "id": variant.id,
        "status": variant.status.value,
        "original": _AD_ID.sub(r"\1…\2", variant.original_ad_id),
        "prompt": fit(variant.prompt, PROMPT_WIDTH),
        "conf.": None if confidence is None else f"{confidence:.0%}",
        "similar": similarity_cell(variant),
        "requested": age(variant.requested_at),
    }


def similarity_cell(variant: VariantSummary) -> str | None:
    """How close it is to its original, by picture or copy, marked where that is too close; None: it
    is not known."""
    shares = [variant.picture_similarity, variant.text_similarity]
    known = [share for share in shares if share is not None]
    return f"{max(known):.0%}{' !' if variant.is_too_close else ''}" if known else None


def _broken(variant: VariantSummary) -> int | None:
    """How many checks of brand rules failed; None: it was not checked."""
    return None if variant.rule_check is None else len(variant.rule_check.failed)


def _facts(variant: VariantSummary, media: MediaStore) -> dict[str, object]:
    confidence = variant.confidence_score
    return {
        "prompt": variant.prompt,
        "made from": None if variant.parent_id is None else f"variant {variant.parent_id}",
        "version": variant.original_version and f"{variant.original_version[:12]} of the ad",
        "batch": variant.batch_id,
        "user": variant.user_id,
        "requested": moment(variant.requested_at),
        "attempt": f"{variant.attempt}" + (f", {variant.generator}" if variant.generator else ""),
        "workflow": variant.workflow and plain(variant.workflow),
        "seed": variant.seed and plain(variant.seed),
        "workspace": variant.workspace_id,
        "confidence": None if confidence is None else f"{confidence:.0%}",
        "similarity": None if confidence is None else describe_similarity(variant),
        "original": variant.original_path and media.locate(variant.original_path),
        "picture": variant.image_path and media.locate(variant.image_path),
        "mind": variant.problem,
        "error": variant.error,
    }


def _review(review: StoredReview) -> dict[str, object]:
    reasons = ", ".join(review.reasons or ()).replace("_", " ")
    overruled = f"rules overruled: {review.overrule_reason}" if review.overrule_reason else ""
    parts = (reasons, plain(review.comment or ""), plain(overruled))
    return {
        "user": review.user_id,
        "decision": _DECISIONS[review.is_approved],
        "rating": review.rating,
        "comment": ": ".join(part for part in parts if part) or None,
        "when": moment(review.updated_at),
    }
