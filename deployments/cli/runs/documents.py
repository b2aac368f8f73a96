"""What the commands of runs print with `--json`."""

from uuid import UUID

from pydantic import Field, JsonValue

from adspark.creatives.fetch import FetchSummary
from deployments.terminal.documents import Document


class FetchDocument(Document, FetchSummary):
    """What a fetch did."""

    SHAPE = "fetch/1"
    COMMANDS = ("fetch",)


class FinishedRunDocument(Document):
    """A run that has completed."""

    SHAPE = "run/1"
    COMMANDS = ("run",)

    flow_run_id: UUID
    result: JsonValue = Field(description="What the flow gave back; null where it is not here.")
