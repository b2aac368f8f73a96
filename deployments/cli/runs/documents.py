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


class RunsRetried(Document):
    """Failed runs that were put back in their queues."""

    SHAPE = "runs-retried/1"
    COMMANDS = ("retry",)

    retried: list[UUID]
    not_retried: list[UUID] = Field(
        description="Changed since, or of a deployment that is gone: adspark task ID tells more."
    )


class RunsPurged(Document):
    """Waiting runs that were cancelled."""

    SHAPE = "runs-purged/1"
    COMMANDS = ("purge",)

    purged: int
    found: int = Field(description="That would be, or were to be, cancelled.")
