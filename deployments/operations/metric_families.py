"""Which metrics there are for Prometheus: name, meaning and labels of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

_Labels = TypeVar("_Labels", bound=tuple[str, ...])
_Family = TypeVar("_Family", GaugeMetricFamily, CounterMetricFamily)


@dataclass(frozen=True)
class MetricFamily:
    """A metric: as it is scraped, and the attribute of a pool that it shows."""

    name: str
    what: str
    labels: tuple[str, ...] = ()
    of_pool: str | None = None

    def gauge(self, values: Mapping[_Labels, float]) -> GaugeMetricFamily:
        """A gauge with these values, by what its labels say."""
        return _fill(GaugeMetricFamily(self.name, self.what, labels=self.labels), values)

    def counter(self, values: Mapping[_Labels, float]) -> CounterMetricFamily:
        """The same as a counter; Prometheus' format adds `_total` to its name."""
        return _fill(CounterMetricFamily(self.name, self.what, labels=self.labels), values)


def _fill(family: _Family, values: Mapping[_Labels, float]) -> _Family:
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


UP = MetricFamily("adspark_up", "Whether it answers: prefect, database.", ("source",))
POOLS = tuple(
    MetricFamily(f"adspark_pool_{name}", what, ("pool",), attribute)
    for name, what, attribute in (
        (
            "workers_online",
            "Workers of the pool that are online; 0 of one that was deleted.",
            "workers",
        ),
        ("slots", "Runs that the pool carries out at once.", "slots"),
        ("paused", "Whether the pool is paused.", "is_paused"),
        ("runs_active", "Runs that take a slot.", "active"),
        ("runs_scheduled", "Runs whose time is within ten minutes.", "scheduled"),
        ("runs_late", "Runs whose time has passed.", "late"),
        ("late_oldest_seconds", "How long the oldest late run has waited.", "oldest_late"),
    )
)
RUNS = MetricFamily("adspark_flow_runs_last_hour", "Runs that ended.", ("flow", "state"))
MEAN = MetricFamily("adspark_flow_run_mean_seconds_last_hour", "Their mean duration.", ("flow",))
LONGEST = MetricFamily(
    "adspark_flow_run_max_seconds_last_hour", "Their longest duration.", ("flow",)
)
RATE_USED = MetricFamily("adspark_rate_used", "Used in the last minute.", ("limit",))
RATE_LIMIT = MetricFamily("adspark_rate_limit", "Allowed in a minute.", ("limit",))
SEARCHES = MetricFamily(
    "adspark_searches_total",
    "Searches since the month (UTC) began, when it begins again at 0.",
    ("billing",),
)
SEARCHES_LEFT = MetricFamily(
    "adspark_searches_left", "Searches that SerpApi's account has left this month."
)
VARIANTS = MetricFamily("adspark_variants", "Variants, by status.", ("status",))
BATCHES = MetricFamily("adspark_batches", "Batches of variants, by status.", ("status",))
GENERATIONS = MetricFamily(
    "adspark_generations_total",
    "Generations submitted since the month (UTC) began, when it begins again at 0.",
)
GENERATIONS_LEFT = MetricFamily(
    "adspark_generations_left",
    "Generations that are left of a user's budget for the month; of users who have one.",
    ("user",),
)

FAMILIES = (
    UP, *POOLS, RUNS, MEAN, LONGEST, RATE_USED, RATE_LIMIT, SEARCHES, SEARCHES_LEFT, VARIANTS,
    BATCHES, GENERATIONS, GENERATIONS_LEFT,
)  # fmt: skip
"""All of them, in the order in which they are documented."""
