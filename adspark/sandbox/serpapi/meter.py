"""What the sandbox has answered and billed, and the account that shows it."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from adspark.sandbox.responses import MARKS
from adspark.sandbox.serpapi.faults import FaultKind
from adspark.sandbox.settings import SandboxSettings

OUT_OF_SEARCHES = "Your account has run out of searches."
_MONTH = "%Y-%m"
_HOUR = "%Y-%m-%d %H"


@dataclass
class Stats:
    """Searches since the start: billed + cached + failed make up the requests."""

    requests: int = 0
    billed: int = 0
    cached: int = 0
    failed: int = 0


class Meter:
    """Counters and limits of the sandbox's one account."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Back to an account that has used nothing."""
        self.stats = Stats()
        self._used = Counter[str]()

    def bill(self, now: datetime) -> None:
        """Count a search that costs one."""
        self.stats.billed += 1
        self._used[now.strftime(_MONTH)] += 1
        self._used[now.strftime(_HOUR)] += 1

    def refusal(self, now: datetime) -> FaultKind | None:
        """Which limit stands against another search."""
        if self._used[now.strftime(_MONTH)] >= self._settings.monthly_quota:
            return FaultKind.QUOTA_429
        if self._used[now.strftime(_HOUR)] >= self._settings.hourly_limit:
            return FaultKind.THROUGHPUT_429
        return None

    def refusal_text(self, refusal: FaultKind) -> str:
        """The words of a 429."""
        if refusal is FaultKind.QUOTA_429:
            return OUT_OF_SEARCHES
        return (
            f"Your account has reached the hourly throughput limit of "
            f"{self._settings.hourly_limit} searches."
        )

    def account(self, now: datetime, pretended: FaultKind | None) -> dict[str, object]:
        """The Account API's answer; `pretended` is a refusal that it has to agree with."""
        quota, limit = self._settings.monthly_quota, self._settings.hourly_limit
        month = self._used[now.strftime(_MONTH)]
        hour = self._used[now.strftime(_HOUR)]
        if pretended is FaultKind.QUOTA_429:
            month = max(month, quota)
        if pretended is FaultKind.THROUGHPUT_429:
            hour = max(hour, limit)
        return {
            "account_id": "sandbox",
            "api_key": self._settings.api_key,
            "account_email": "sandbox@adspark.example",
            "plan_id": "sandbox",
            "plan_name": "AdSpark Sandbox",
            "plan_monthly_price": 0.0,
            "searches_per_month": quota,
            "plan_searches_left": max(0, quota - month),
            "extra_credits": 0,
            "total_searches_left": max(0, quota - month),
            "this_month_usage": month,
            "this_hour_searches": hour,
            "last_hour_searches": self._used[(now - timedelta(hours=1)).strftime(_HOUR)],
            "account_rate_limit_per_hour": limit,
            **MARKS,
        }

    def describe(self) -> dict[str, int]:
        """The counters by name."""
        return asdict(self.stats)
