"""Prefect's server and our pools, as a health check sees them: well, slow, or away.

A server that is busy, or on a busy machine, answers late: a person should know, and nothing is
broken. One that refuses connections, fails or stays silent for a minute is away.
"""

import asyncio
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import PrefectException

from adspark.maintenance.check import AWAY, SLOW, Check
from orchestration.runs.flow_runs import read_failed_runs
from orchestration.runs.lost_runs import OURS
from orchestration.server.client_settings import without_retries
from orchestration.server.pool_health import Problem, add_failed_starts, find_problems
from orchestration.server.pool_snapshot import PoolSnapshot, read_pools
from orchestration.server.rate_health import find_rate_problems, read_limits

_MOST_DEPLOYMENTS = 200
_START = "adspark up, or docker-compose up -d"
_ADDRESS = "correct or unset PREFECT_API_URL"
_FURTHEST = 30.0  # seconds that two clocks may differ; a living run gives a sign of it every 30
_SYNCHRONISE = "synchronise the time of both (timedatectl set-ntp true)"
_BUSY = "look what keeps its machine busy; adspark monitor"


async def check_prefect(*, slow: float = SLOW, away: float = AWAY) -> list[Check]:
    """A check of Prefect's server, one of each pool in which a deployment of ours runs, and one of
    whatever else is wrong: clocks that differ, deployments without a pool, a rate limit that is
    switched off or 0.

    An answer after `slow` seconds is a warning; after `away` seconds without one there is nobody.
    """
    # By itself the client would ask again and again, until the reason is lost in a time-out.
    with without_retries():
        async with get_client(httpx_settings={"timeout": away}) as client:
            started_at = time.monotonic()
            error = await _find_error(client, away)
            seconds = time.monotonic() - started_at
            if isinstance(error, httpx.UnsupportedProtocol):
                return [Check.failed("Prefect", "has no http(s) address", _ADDRESS)]
            if error is not None:
                return [Check.failed("Prefect", _describe(error, away), _START)]
            try:
                async with asyncio.timeout(away):
                    summary, pools = await _check_pools(client)
            except (TimeoutError, httpx.TimeoutException):
                what = f"is slow: it answers, but does not return its pools within {away:g} s"
                return [Check.warning("Prefect", what, _BUSY)]
            except (httpx.HTTPError, PrefectException) as problem:
                what = f"does not answer as it should ({type(problem).__name__})"
                return [Check.failed("Prefect", what, "adspark status")]
            if seconds > slow:
                summary = f"is slow: {summary} after {seconds:.1f} s"
                return [Check.warning("Prefect", summary, _BUSY), *pools]
            return [Check.ok("Prefect", f"{summary} in {seconds * 1000:.0f} ms"), *pools]


async def _find_error(client: PrefectClient, away: float) -> Exception | None:
    """Why the server counts as away; None where it answers."""
    try:
        async with asyncio.timeout(away):
            return await client.api_healthcheck()
    except TimeoutError as error:
        return error


def _describe(error: Exception, away: float) -> str:
    if isinstance(error, TimeoutError):
        return f"has not answered for {away:g} s"
    if isinstance(error, httpx.HTTPStatusError):
        return f"answers with {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return f"has not answered for {away:g} s"
    return f"does not answer ({type(error).__name__})"


async def _check_pools(client: PrefectClient) -> tuple[str, list[Check]]:
    """What the server has of ours, the pools, and the rate limits that should be seen to."""
    deployments = await client.read_deployments(deployment_filter=OURS, limit=_MOST_DEPLOYMENTS)
    names = sorted({one.work_pool_name for one in deployments if one.work_pool_name})
    version, clock = await _read_version(client)
    failures = await read_failed_runs(client, pools=names)
    pools = await read_pools(client, names, failures=failures)
    await add_failed_starts(client, pools, failures)
    by_name = {pool.name: pool for pool in pools}
    checks = [_check_pool(name, by_name.get(name)) for name in names]
    if without := [one.name for one in deployments if one.work_pool_name is None]:
        what = f"deleted, so that these deployments have none: {', '.join(sorted(without))}"
        checks.append(Check.failed("pools", what, "adspark provision"))
    checks += clock
    checks += [_warn_of_limit(one) for one in find_rate_problems(await read_limits(client))]
    return f"{version} with {len(deployments)} deployments answers", checks


async def _read_version(client: PrefectClient) -> tuple[str, list[Check]]:
    """The server's version, and a warning where its clock and this host's are far apart: by them
    is judged whether a run still gives signs of life."""
    asked_at = datetime.now(UTC)
    answer = await client.request("GET", "/admin/version")
    answered_at = datetime.now(UTC)
    try:
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:  # a proxy has taken it away
        told = asked_at
    apart = max(asked_at - told, told - answered_at).total_seconds()
    if apart < _FURTHEST:
        return answer.json(), []
    way = "ahead of" if told < asked_at else "behind"
    what = f"this host's is {apart:.0f} s {way} that of Prefect's server"
    return answer.json(), [Check.warning("clock", what, _SYNCHRONISE)]


def _warn_of_limit(problem: Problem) -> Check:
    """No failure, as of a pool that is paused: somebody wanted it so."""
    name, _, what = problem.what.partition(" is ")
    return Check.warning(name, f"is {what}", problem.remedy)


def _check_pool(name: str, pool: PoolSnapshot | None) -> Check:
    if pool is None:
        return Check.failed(f"pool {name}", "does not exist", "adspark provision")
    if problems := find_problems(pool):
        what = problems[0].what.removeprefix(f"pool {name} ")
        if pool.begins_nothing and not pool.failed_starts:  # somebody wanted it so
            return Check.warning(f"pool {name}", what, problems[0].remedy)
        return Check.failed(f"pool {name}", what, problems[0].remedy)
    bound = "" if pool.slots is None else f" of {pool.slots}"
    return Check.ok(
        f"pool {name}", f"a worker is online, {pool.active}{bound} runs, {pool.late} late"
    )
