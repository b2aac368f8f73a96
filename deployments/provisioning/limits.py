"""The rate limits in Prefect: made where they are missing, kept where people changed them."""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
)

from adspark.db.rates import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS, WINDOWS
from adspark.errors import TemporaryError
from adspark.settings import DEFAULT_SEARCHES_PER_MINUTE, Settings
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.provisioning.drift import Merge
from orchestration.runs.optional import read_optional

_SWEEPS_A_MINUTE = 5
_CLEANUPS_AN_HOUR = 1


async def provision_limits(client: PrefectClient, settings: Settings, merge: Merge) -> None:
    """Make the rate limits, or bring them to the project's numbers.

    Args:
        settings: with the numbers.
        merge: says what is changed and what is kept.
    """
    searches = settings.searches_per_minute
    if searches == "account":
        searches = await _fetch_account_limit(settings) or DEFAULT_SEARCHES_PER_MINUTE
    numbers = {
        SEARCHES: searches,
        GENERATIONS: settings.generations_per_minute,
        SWEEPS: _SWEEPS_A_MINUTE,
        CLEANUPS: _CLEANUPS_AN_HOUR,
    }
    for name, number in numbers.items():
        await _provision_limit(client, merge, name, number)


async def _provision_limit(client: PrefectClient, merge: Merge, name: str, number: int) -> None:
    thing, window = f"limit {name}", WINDOWS[name]
    decay = number / window  # what Prefect makes of a window
    found = await read_optional(client.read_global_concurrency_limit_by_name(name))
    if found is None:
        if merge.create(thing, {"number": number}, f", {number} in {window:.0f} s"):
            await client.create_global_concurrency_limit(
                GlobalConcurrencyLimitCreate(name=name, limit=number, slot_decay_per_second=decay)
            )
        return
    if merge.update(f"{thing} number", current=found.limit, wanted=number):
        changes = GlobalConcurrencyLimitUpdate(limit=number, slot_decay_per_second=decay)
        await client.update_global_concurrency_limit(name, changes)
    if not found.active and not merge.is_reset:
        merge.keep(f"{thing}: was switched off by hand")
    elif not found.active and merge.change(f"{thing}: is switched on again"):
        await client.update_global_concurrency_limit(
            name, GlobalConcurrencyLimitUpdate(active=True)
        )


async def _fetch_account_limit(settings: Settings) -> int | None:
    """Searches a minute that the account's hourly limit comes to; None where it does not answer."""
    if settings.serpapi_key is None:
        return None
    try:
        async with SerpApiCredentials.from_settings(settings).get_client() as client:
            an_hour = (await client.account()).account_rate_limit_per_hour
    except TemporaryError:
        return None
    return None if an_hour is None else max(1, an_hour // 60)
