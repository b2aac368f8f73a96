"""What a chat endpoint is asked for, and an observer that keeps notes."""

from adspark.generators.base import GenerationRequest, Picture, RemoteRun

ASSIGNMENT = GenerationRequest(
    key="variant-7-1",
    prompt="Make it a summer ad",
    original=Picture(b"PNG", "image/png", "CR1.png"),
)


class Notes:
    """A diary that keeps what it was told, with the requests in between."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def asking(self) -> None:
        self.lines.append("asking")

    async def not_begun(self) -> None:
        self.lines.append("not begun")

    async def accepted(self, receipt: RemoteRun) -> None:
        self.lines.append(f"accepted {receipt.run_id}")

    async def progress(self, done: float, doing: str) -> None:
        """Not kept."""
