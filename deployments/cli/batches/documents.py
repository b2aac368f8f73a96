"""What `adspark batch` prints with `--json`."""

from pydantic import Field

from adspark.variants.batches.forecast import Forecast
from adspark.variants.batches.lists import BatchSummary
from adspark.variants.batches.plan import BatchPlan
from adspark.variants.store import VariantSummary
from deployments.terminal.documents import Document


class BatchList(Document, shape="batch-list/1", commands=("batch list",)):
    """Batches, newest first."""

    batches: list[BatchSummary]


class BatchReport(Document, BatchSummary, shape="batch/1", commands=("batch show",)):
    """One batch, how far it is, and its variants in order of rank."""

    ranked: list[VariantSummary] = Field(description="The best first.")
    forecast: Forecast | None = Field(description="Of what is open; None: nothing is to come.")


class BatchRequested(Document, BatchPlan, shape="batch-requested/1", commands=("batch create",)):
    """What was requested, or would be."""

    batch_id: int | None = Field(description="None: a dry run, or nothing to request.")
    started: int = Field(description="Runs that were started; others follow them.")
    forecast: Forecast


class BatchChanged(
    Document, shape="batch-changed/1", commands=("batch pause", "batch resume", "batch cancel")
):
    """A batch that was paused, resumed or cancelled."""

    batch_id: int
    changed: bool = Field(description="False: it was so before, or had ended.")
    variants: int = Field(description="That wait, go on, or were cancelled with it.")
    problems: list[str] = Field(description="Generations that could not be stopped.")
