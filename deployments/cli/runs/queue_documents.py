"""What the commands that change queues print with `--json`."""

from uuid import UUID

from pydantic import Field

from deployments.terminal.documents import Document


class RunsRetried(Document, shape="runs-retried/1", commands=("retry",)):
    """Failed runs that were put back in their queues."""

    retried: list[UUID]
    not_retried: list[UUID] = Field(
        description="Changed since, or of a deployment that is gone: adspark task ID tells more."
    )


class RunsPurged(Document, shape="runs-purged/1", commands=("purge",)):
    """Waiting runs that were cancelled."""

    purged: int
    found: int = Field(description="That would be, or were to be, cancelled.")
