"""The four queue classes: what runs beside what, how much at once, in how much memory and time.

The one table of it: provisioning makes the pools from it, workers import its flows beforehand, and
the flows, prefect.yaml, the README, the reference and the compose files are tested against it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from adspark.errors import ConfigurationError
from adspark.validation.near_names import describe_unknown


@dataclass(frozen=True)
class FlowClass:
    """A flow and its bounds.

    Attributes:
        name: of the flow and of its deployment.
        time_limit: the setting that holds the seconds of one attempt; None is no limit, for what
            is over at once or waits for a person.
        rate: the rate limit over all workers that it keeps to.
        schedule: cron, UTC.
        is_alone: whether a second run at the same time is cancelled.
    """

    name: str
    time_limit: str | None = None
    rate: str | None = None
    schedule: str | None = None
    is_alone: bool = False

    @property
    def module(self) -> str:
        """The module that holds it."""
        return f"flows.{self.name.replace('-', '_')}"


@dataclass(frozen=True)
class QueueClass:
    """A work pool: `concurrency` runs at once, each within `memory` (MB) where containers run."""

    name: str
    concurrency: int
    memory: int
    description: str
    flows: tuple[FlowClass, ...]


QUEUE_CLASSES = (
    QueueClass(
        "default",
        2,
        512,
        "General work: health checks, digests, exports, saved watches.",
        (
            FlowClass("health-check", "upkeep_time_limit", None, "*/5 * * * *", True),
            FlowClass("save-watch"),
            FlowClass("send-digest", schedule="0 8 * * *"),
            FlowClass("export-creatives", "export_time_limit"),
            FlowClass("review-ad-variant"),
        ),
    ),
    QueueClass(
        "data-fetch",
        2,
        1024,
        "Searches, and the words of pictures.",
        (
            FlowClass("fetch-creatives", "fetch_time_limit", "serpapi-searches"),
            FlowClass("fetch-details", "fetch_time_limit", "serpapi-searches"),
            FlowClass("process-watch", "watch_time_limit", "serpapi-searches"),
            FlowClass(
                "process-all-active-watches", "sweep_time_limit", "sweeps", "*/30 * * * *", True
            ),
            FlowClass("process-sweep-shard", "sweep_time_limit", "serpapi-searches"),
            # Here, for the process that reads takes up to 600 MB beside the run's own 200, and no
            # browser; and of the two places a sweep keeps one.
            FlowClass("read-words", "words_time_limit", None, "5-59/10 * * * *", True),
        ),
    ),
    QueueClass(
        "ai-generation",
        1,
        2048,
        "What needs a browser: ad variants, archived pictures.",
        (
            FlowClass("generate-ad-variant", "generation_time_limit", "variant-generations"),
            FlowClass("generate-pending-variants", "upkeep_time_limit", None, "*/10 * * * *", True),
            # Here, for it renders preview scripts: a browser may take 1 GB, beside the decoders of
            # pictures, which is all that a run of data-fetch has. Its time limit is short, so that
            # no variant waits long for it.
            FlowClass("archive-creatives", "archive_time_limit", None, "*/10 * * * *", True),
        ),
    ),
    QueueClass(
        "maintenance",
        1,
        512,
        "Clean-up and recovery.",
        (
            FlowClass(
                "cleanup-old-creatives", "cleanup_time_limit", "clean-ups", "0 1 * * *", True
            ),
            FlowClass("reconcile", "upkeep_time_limit", None, "*/15 * * * *", True),
        ),
    ),
)

POOL_NAMES = tuple(one.name for one in QUEUE_CLASSES)


def validate_pools(names: Iterable[str]) -> None:
    """Refuse the name of a pool that is none of ours.

    Raises:
        ConfigurationError: names the first such pool, and ours.
    """
    for name in names:
        if name not in POOL_NAMES:
            raise unknown_pool(name, POOL_NAMES)


def unknown_pool(name: str, known: Collection[str]) -> ConfigurationError:
    """The error about a pool that there is not; says which are spelled like it, or all."""
    there_are = f"; there are {', '.join(known) or 'none at all'}."
    said = describe_unknown(f"There is no pool {name!r}", name, known, otherwise=there_are)
    return ConfigurationError(said)
