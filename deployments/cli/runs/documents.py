"""What the commands of runs print with `--json`."""

from uuid import UUID

from pydantic import Field, JsonValue

from adspark.creatives.fetch import FetchSummary
from deployments.terminal.documents import Document


class FetchDocument(Document, FetchSummary, shape="fetch/1", commands=("fetch",)):
    """What a fetch did."""


class FinishedRunDocument(Document, shape="run/1", commands=("run",)):
    """A run that has completed."""

    flow_run_id: UUID
    result: JsonValue = Field(description="What the flow gave back; null where it is not here.")
