"""What a chat endpoint is asked for, and an observer that keeps notes."""

from datetime import UTC, datetime

from adspark.generators.base import GenerationRequest, Picture, RemoteRun

REQUEST = GenerationRequest(
    key="variant-7-1",
    prompt="Make it a summer ad",
    original=Picture(b"PNG", "image/png", "CR1.png"),
)


class Notes:
    """An observer that keeps what it was told, with the requests in between."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def on_submit(self) -> datetime:
        self.lines.append("submitted")
        return datetime.now(UTC)

    async def on_refused(self) -> None:
        self.lines.append("refused")

    async def on_accepted(self, remote_run: RemoteRun) -> None:
        self.lines.append(f"accepted {remote_run.run_id}")

    async def on_progress(self, done: float, doing: str) -> None:
        """Not kept."""
