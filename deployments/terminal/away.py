"""Since when something that is looked at again and again does not answer."""

from datetime import UTC, datetime

from deployments.terminal.tables import seconds_or_minutes


class Away:
    """A service that may go away and come back.

    Attributes:
        name: of the service, as a sentence begins with it.
        since: None where it answers.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.since: datetime | None = None

    def begin(self, reason: str) -> str | None:
        """It does not answer; a sentence about it, None where that was told already."""
        if self.since is not None:
            return None
        self.since = datetime.now(UTC)
        return self.describe(reason)

    def describe(self, reason: str) -> str:
        """That it is away, since when and why."""
        at = f"{self.since or datetime.now(UTC):%H:%M:%S}"
        return f"{self.name} has not answered since {at} UTC ({reason}); retrying"

    def end(self) -> str | None:
        """It answers; a sentence about it, None where it did before."""
        if self.since is None:
            return None
        gone = (datetime.now(UTC) - self.since).total_seconds()
        self.since = None
        return f"{self.name} answers again, after {seconds_or_minutes(gone)}"
