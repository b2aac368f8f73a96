"""The four queue classes: what runs beside what, how much at once, in how much memory."""

from dataclasses import dataclass


@dataclass(frozen=True)
class QueueClass:
    """A work pool: `concurrency` runs at once, each within `memory` (MB) where containers run."""

    name: str
    concurrency: int
    memory: int
    description: str


QUEUE_CLASSES = (
    QueueClass("default", 2, 512, "General work: health checks, digests, saved watches."),
    QueueClass("data-fetch", 2, 1024, "Searches: fetching creatives and processing watches."),
    QueueClass("ai-generation", 1, 2048, "Ad variants: browser and Dify."),
    QueueClass("maintenance", 1, 512, "Clean-up and recovery."),
)
