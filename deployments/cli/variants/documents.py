"""What `adspark variant` prints with `--json`."""

from pydantic import Field

from adspark.rules.verdicts import RuleCheck
from adspark.variants.handover.files import HandOver
from adspark.variants.reviews.approvals import Outcomes
from adspark.variants.reviews.store import StoredReview, VariantStatistics
from adspark.variants.store import VariantSummary
from deployments.terminal.documents import Document


class VariantList(Document):
    """Variants, newest first."""

    SHAPE = "variant-list/1"
    COMMANDS = ("variant list",)

    variants: list[VariantSummary]
    reviews_waiting: list[int] = Field(description="Variants that wait for a person's review.")


class VariantReport(Document, VariantSummary):
    """One variant and its reviews."""

    SHAPE = "variant/1"
    COMMANDS = ("variant show", "variant request")

    reviews: list[StoredReview]


class VariantsRequested(Document):
    """What was requested; with `--wait` the variant itself is printed instead."""

    SHAPE = "variants-requested/1"
    COMMANDS = ("variant request",)

    variants: list[int] = Field(description="Their numbers; empty in a dry run.")
    started: int = Field(description="Runs that were started; others wait for a stack.")
    generations: int = Field(description="That are, or would be, paid.")
    notes: list[str] = Field(default_factory=list, description="Why ads are left out.")


class VariantRetried(Document):
    """A variant that is tried again."""

    SHAPE = "variant-retried/1"
    COMMANDS = ("variant retry",)

    variant_id: int
    is_new_generation: bool = Field(
        description="Whether it is paid; False: what was paid is fetched."
    )
    started: int = Field(description="Runs that were started: 0 or 1.")


class VariantCancelled(Document):
    """A variant that was ended."""

    SHAPE = "variant-cancelled/1"
    COMMANDS = ("variant cancel",)

    variant_id: int
    changed: bool = Field(description="False: it had ended already.")
    problems: list[str] = Field(description="Why its generation could not be stopped.")


class VariantReviewed(Document):
    """A review that was saved."""

    SHAPE = "variant-reviewed/1"
    COMMANDS = ("variant review",)

    variant_id: int
    user_id: int
    is_approved: bool | None = Field(description="None: it is left open.")


class VariantChecked(Document):
    """A variant that was checked again."""

    SHAPE = "variant-checked/1"
    COMMANDS = ("variant check",)

    variant_id: int
    check: RuleCheck | None = Field(description="None: there are no brand rules.")


class VariantPicture(Document):
    """Where a picture is."""

    SHAPE = "variant-picture/1"
    COMMANDS = ("variant open",)

    variant_id: int
    place: str = Field(description="A path, or an address.")


class VariantsExported(Document, HandOver):
    """Approved variants that were handed over to Google Ads."""

    SHAPE = "variants-exported/1"
    COMMANDS = ("variant export",)

    file: str


class VariantFigures(Document, VariantStatistics):
    """How variants fare."""

    SHAPE = "variant-figures/1"
    COMMANDS = ("variant stats",)


class VariantOutcomes(Document, Outcomes):
    """What people approved, by prompt, advertiser and reviewer, and how far they agree."""

    SHAPE = "variant-outcomes/1"
    COMMANDS = ("variant outcomes",)
