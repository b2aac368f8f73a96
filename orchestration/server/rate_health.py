"""What is wrong with rate limits in Prefect: one lets nothing begin, or is switched off."""

from collections.abc import Iterable

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse

from adspark.db.rates import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS
from orchestration.runs.flow_runs import PAGE
from orchestration.server.pool_health import Problem

# What each of them lets begin.
_NOUNS = {
    SEARCHES: ("search", "searches"),
    GENERATIONS: ("generation", "generations"),
    SWEEPS: ("sweep", "sweeps"),
    CLEANUPS: ("clean-up", "clean-ups"),
}
_PLACE = "under Concurrency in Prefect's UI"
_RESET = "to reset all that was changed by hand: adspark provision --reset"


async def read_limits(client: PrefectClient) -> list[GlobalConcurrencyLimitResponse]:
    """Our rate limits, as Prefect has them; one that is missing there is left out."""
    found = await client.read_global_concurrency_limits(limit=PAGE)
    return [one for one in found if one.name in _NOUNS]


def find_rate_problems(limits: Iterable[GlobalConcurrencyLimitResponse]) -> list[Problem]:
    """What a person should see to in these limits."""
    by_name = {one.name: one for one in limits}
    problems = []
    for name, (noun, plural) in _NOUNS.items():
        limit = by_name.get(name)
        if limit is not None and not limit.active:
            what = f"limit {name} is switched off: {plural} have no limit"
            problems.append(Problem(what, f"switch it on {_PLACE}; {_RESET}"))
        elif limit is not None and limit.limit == 0:
            what = f"limit {name} is 0: no {noun} begins"
            problems.append(Problem(what, f"set another number {_PLACE}; {_RESET}"))
    return problems
