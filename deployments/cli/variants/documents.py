"""What `adspark variant` prints with `--json`."""

from pydantic import Field

from adspark.rules.verdicts import RuleCheck
from adspark.variants.handover.files import HandOver
from adspark.variants.reviews.approvals import Outcomes
from adspark.variants.reviews.store import StoredReview, VariantStatistics
from adspark.variants.store import VariantSummary
from deployments.terminal.documents import Document


class VariantList(Document, shape="variant-list/1", commands=("variant list", "variant request")):
    """Variants, newest first."""

    variants: list[VariantSummary]
    reviews_waiting: list[int] = Field(description="Variants that wait for a person's review.")


class VariantReport(
    Document, VariantSummary, shape="variant/1", commands=("variant show", "variant request")
):
    """One variant and its reviews."""

    reviews: list[StoredReview]


class VariantsRequested(Document, shape="variants-requested/1", commands=("variant request",)):
    """What was requested; with `--wait` the variants themselves are printed instead."""

    variants: list[int] = Field(description="Their numbers; empty in a dry run.")
    started: int = Field(description="Runs that were started; others wait for a stack.")
    generations: int = Field(description="That are, or would be, paid.")
    notes: list[str] = Field(default_factory=list, description="Why ads are left out.")


class VariantRetried(Document, shape="variant-retried/1", commands=("variant retry",)):
    """A variant that is tried again."""

    variant_id: int
    is_new_generation: bool = Field(
        description="Whether it is paid; False: what was paid is fetched."
    )
    started: int = Field(description="Runs that were started: 0 or 1.")


class VariantCancelled(Document, shape="variant-cancelled/1", commands=("variant cancel",)):
    """A variant that was ended."""

    variant_id: int
    changed: bool = Field(description="False: it had ended already.")
    problems: list[str] = Field(description="Why its generation could not be stopped.")


class VariantReviewed(Document, shape="variant-reviewed/1", commands=("variant review",)):
    """A review that was saved."""

    variant_id: int
    user_id: int
    is_approved: bool | None = Field(description="None: it is left open.")


class VariantChecked(Document, shape="variant-checked/1", commands=("variant check",)):
    """A variant that was checked again."""

    variant_id: int
    check: RuleCheck | None = Field(
        description="None: there are no brand rules; an earlier check stays."
    )


class VariantPicture(Document, shape="variant-picture/1", commands=("variant open",)):
    """Where a picture is."""

    variant_id: int
    place: str = Field(description="A path, or an address.")


class VariantsExported(
    Document, HandOver, shape="variants-exported/1", commands=("variant export",)
):
    """Approved variants that were handed over to Google Ads."""

    file: str


class VariantFigures(
    Document, VariantStatistics, shape="variant-figures/1", commands=("variant stats",)
):
    """How variants fare."""


class VariantOutcomes(
    Document, Outcomes, shape="variant-outcomes/1", commands=("variant outcomes",)
):
    """What people approved, by prompt, advertiser and reviewer, and how far they agree."""
