"""What `adspark status --check` looks at beyond pools: the database, the stored pictures, the
digest's messages, and the project's deployments.

With `--probe` also whether every pool that has a worker carries out a run.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from shlex import quote

import yaml
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from pydantic import BaseModel

from adspark.db import migrate
from adspark.db.configured import database_url, open_database
from adspark.db.revisions import find_difference
from adspark.errors import AdSparkError
from adspark.maintenance.check import CheckState, find_remedy
from adspark.maintenance.lost_pictures import check_pictures
from adspark.media.store import MediaStore
from adspark.notifications.outbox import read_undelivered, receivers_by_hash
from adspark.settings import Settings, media_url
from adspark.text.counts import counted
from adspark.text.sentences import without_full_stop
from blocks.digest_recipients import DigestRecipients
from deployments.operations.probe import ProbeResult, probe
from deployments.operations.runs.lookup import ui_url
from deployments.provisioning.deployments.deploy import name_of, project_file
from deployments.queue_classes import POOL_NAMES
from orchestration.runs.flow_runs import PAGE, count_runs, filter_runs
from orchestration.server.deployments import read_deployments
from orchestration.server.pool_health import Problem, name_worker_log

_DIGEST_REMEDY = (
    "see whether the service is up, and its address in ADSPARK_NOTIFY_ADDRESSES (or the block "
    "digest-recipients/adspark) right; what waits is sent with adspark run send-digest"
)

_PLANNING = timedelta(minutes=5)  # within which a deployment that was changed gets its coming runs


class FullCheck(BaseModel):
    """What was looked at, and what of it a person should see to.

    Attributes:
        database: the migration that it is at; None where it does not answer.
        deployments: how many of the `expected` ones are on the server and not paused.
        probes: empty where none was requested.
    """

    database: str | None
    deployments: int
    expected: int
    probes: list[ProbeResult] = []
    problems: list[Problem] = []


async def read_full_check(
    client: PrefectClient, settings: Settings, *, probed: Sequence[str] = ()
) -> FullCheck:
    """Look at the database and at every deployment, and send a probe through these pools.

    Args:
        settings: with the database and the services.
        probed: names of work pools.
    """
    at, problems = await asyncio.to_thread(check_database, settings)
    if not problems:
        problems = await check_messages(settings) + await _find_lost_pictures(settings)
    expected, missing = await check_deployments(client)
    check = FullCheck(
        database=at,
        deployments=expected - len(missing),
        expected=expected,
        problems=problems + missing + await check_queues(client),
    )
    if probed:
        check.probes = await probe(client, probed)
        check.problems += [_problem_of(one) for one in check.probes if not one.ok]
    return check


async def check_deployments(
    client: PrefectClient, *, planning: timedelta = _PLANNING
) -> tuple[int, list[Problem]]:
    """How many deployments the server should have, and what is wrong with them, one at a time.

    Those that were changed within the time of `planning` need not have coming runs yet.
    """
    expected = project_deployments()
    present, place = await read_deployments(client), ui_url(client)
    now = datetime.now(UTC)
    problems = []
    for name, is_scheduled in expected.items():
        found = present.get(name)
        problem = _find_fault(name, found, place, is_scheduled=is_scheduled)
        if problem is None and found is not None and is_scheduled:
            times = [found.created, *(one.updated for one in found.schedules)]
            is_new = any(one is not None and one > now - planning for one in times)
            problem = None if is_new else await _find_idle_schedule(client, name, found, place)
        if problem is not None:
            problems.append(problem)
    return len(expected), problems


def project_deployments() -> dict[str, bool]:
    """The deployments that `prefect.yaml` names, as flow/deployment, and which have a schedule."""
    planned = yaml.safe_load(project_file().read_text())["deployments"]
    return {name_of(one): bool(one["schedules"]) for one in planned}


def check_database(settings: Settings) -> tuple[str | None, list[Problem]]:
    """The migration that it is at, and what is wrong with it."""
    at = None
    try:
        with database_url(settings, upgrade=False) as url:
            at = migrate.current(url)
            if difference := find_difference(at):
                return at, [Problem(*difference)]
            migrate.check_writable(url)
            migrate.check_sessions(url)
    except AdSparkError as error:
        remedy = error.command or "adspark db check"
        return at, [Problem(without_full_stop(error.sentence), remedy)]
    return at, []


async def check_messages(settings: Settings) -> list[Problem]:
    """Whether the digest reaches those who are configured; the database has to be well."""
    try:
        configured = await DigestRecipients.load_configured()
        configured.check_addresses()
        recipients = list(receivers_by_hash(configured.list_addresses()))
        if not recipients:
            return []
        async with open_database(settings) as database, database.session() as session:
            found = await read_undelivered(session, recipients=recipients)
    except AdSparkError as error:
        return [Problem(without_full_stop(str(error)), _DIGEST_REMEDY)]
    if not found.messages:
        return []
    newest = "; the newest" if found.errors_differ else ""
    why = f"{newest}: {without_full_stop(found.error)}" if found.error else ""
    number = counted(found.messages, "message")
    return [Problem(f"{number} of the digest not delivered{why}", _DIGEST_REMEDY)]


async def _find_lost_pictures(settings: Settings) -> list[Problem]:
    """Whether the media store lacks what the database counts; the database has to be well."""
    try:
        async with open_database(settings) as database, database.session() as session:
            check = await check_pictures(session, MediaStore(media_url(settings)))
    except AdSparkError as error:
        remedy = find_remedy(error, "ADSPARK_MEDIA_URL")
        return [Problem(without_full_stop(error.sentence), remedy)]
    return [] if check.state is CheckState.OK else [Problem(check.what, check.remedy)]


def _find_fault(
    name: str, found: DeploymentResponse | None, place: str, *, is_scheduled: bool
) -> Problem | None:
    """What is wrong with a deployment."""
    if found is None:
        return Problem(f"there is no deployment {name}", "adspark provision")
    if found.work_pool_name is None:
        return Problem(f"deployment {name} has no pool: it was deleted", "adspark provision")
    page = f"{place}/deployments/deployment/{found.id}"
    if found.paused:
        what = f"deployment {name} is paused: its schedules start nothing"
        return Problem(what, f"switch it on at {page}")
    if (limit := found.global_concurrency_limit) and limit.active and not limit.limit:
        what = f"deployment {name} has a limit of 0: none of its runs begins"
        return Problem(what, f"set another at {page}")
    if is_scheduled and not found.schedules:
        what = f"deployment {name} has no schedule any more: nothing starts it"
        back = (
            "put back all that was changed by hand: adspark provision --reset (--dry-run says what)"
        )
        return Problem(what, f"give it one at {page}, or {back}")
    if is_scheduled and not any(one.active for one in found.schedules):
        what = f"the schedule of deployment {name} is switched off: nothing starts it"
        return Problem(what, f"switch it on at {page}")
    return None


async def _find_idle_schedule(
    client: PrefectClient, name: str, found: DeploymentResponse, place: str
) -> Problem | None:
    """Whether an active schedule has no coming run: Prefect's scheduler plans them, hours ahead."""
    coming = filter_runs(
        deployments=[found.id], types=[StateType.SCHEDULED], due_after=datetime.now(UTC)
    )
    if await count_runs(client, coming):
        return None
    return Problem(
        f"no coming run of deployment {name} is planned, though its schedule is on",
        "see whether Prefect's background services run (in containers `services`), and whether "
        f"its schedule has ended: {place}/deployments/deployment/{found.id}",
    )


async def check_queues(client: PrefectClient) -> list[Problem]:
    """The work queues of our pools that let nothing begin."""
    problems = []
    for queue in await client.read_work_queues(limit=PAGE):
        if queue.work_pool_name not in POOL_NAMES:
            continue
        name = f"work queue {queue.name} of pool {queue.work_pool_name}"
        where = f"{quote(queue.name)} --pool {queue.work_pool_name}"
        if queue.is_paused:
            what = f"{name} is paused: none of its runs begins"
            problems.append(Problem(what, f"prefect work-queue resume {where}"))
        elif queue.concurrency_limit == 0:
            what = f"{name} has a limit of 0: none of its runs begins"
            problems.append(Problem(what, f"prefect work-queue clear-concurrency-limit {where}"))
    return problems


def _problem_of(result: ProbeResult) -> Problem:
    log = name_worker_log(result.pool)
    remedy = f"look at what runs (adspark monitor), and into {log}"
    return Problem(f"pool {result.pool}: {result.problem}", remedy)
