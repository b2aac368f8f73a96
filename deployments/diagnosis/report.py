"""The report that can be passed on: versions, settings, states, logs, checks, and no secret."""

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import JsonValue, SecretStr

from adspark.errors import AdSparkError
from adspark.home.env_file import read_env_file
from adspark.home.running_stack import running_stack
from adspark.maintenance.check import Check
from adspark.settings import ENV_FILE, Settings, get_settings
from adspark.text.moments import utc_minute
from adspark.text.secret_patterns import MASK
from deployments.diagnosis.archive import Archive, open_archive
from deployments.diagnosis.doctor import examine
from deployments.diagnosis.known_secrets import remember_all, remember_blocks
from deployments.environment.running_stack import find_api_url
from deployments.environment.stack_settings import DEMO_DATA, SANDBOX_DATA
from deployments.operations.health import read_health
from orchestration.runs.flow_runs import read_flow_names
from orchestration.server.client_settings import without_retries

_RUNS = 200  # the last ones
_LOG_BYTES = 500_000  # of each log, its end
_PATIENCE = 15.0  # seconds for an answer of Prefect's server
_VARIABLES = ("ADSPARK_", "PREFECT_", "PG", "POSTGRES_", "REDIS_", "AWS_", "FSSPEC_")
_SHELL = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM", "COLUMNS", "VIRTUAL_ENV", "PYTHONPATH",
          "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")  # fmt: skip


async def write_report(file: Path, *, replaces: bool, warn: Callable[[str], None]) -> list[Check]:
    """Write the report; returns doctor's checks, which are in it.

    Args:
        file: ends in .zip.
        replaces: whether a file of this name may go.
        warn: as of `examine`.

    Raises:
        InvalidQueryError: the file cannot be written; nothing was.
    """
    with open_archive(file, replaces=replaces) as archive:
        settings = _read_settings(archive)
        if settings is not None:
            remember_all(settings)
        server = await _read_server()
        checks = await examine(warn)
        document: list[JsonValue] = [one.model_dump(mode="json") for one in checks]
        archive.add_document("doctor.json", document)
        archive.add_document("versions.json", _versions())
        archive.add_document("environment.json", _environment())
        if settings is not None:
            archive.add_document("settings.json", _show_settings(settings))
            for place in _homes(settings):
                _add_logs(archive, place, settings.home)
        for name, one in server.items():
            archive.add_document(f"{name}.json", one)
        archive.add_text("README.txt", _describe(archive.names))
    return checks


def _read_settings(archive: Archive) -> Settings | None:
    try:
        return get_settings()
    except AdSparkError as error:
        archive.add_text("settings.txt", str(error))
        return None


async def _read_server() -> dict[str, JsonValue]:
    """Pools and runs, or why they are not known."""
    url = find_api_url()
    if url is None:
        return {"server": "There is no server of Prefect's."}
    try:
        with without_retries(url):
            async with get_client(httpx_settings={"timeout": _PATIENCE}) as client:
                await remember_blocks(client)
                health = await read_health(client)
                return {"server": health.model_dump(mode="json"), "runs": await _runs(client)}
    except Exception as error:  # whatever it is, the rest is reported; its words may hold a secret
        return {"server": f"{url} does not answer as it should ({type(error).__name__})."}


async def _runs(client: PrefectClient) -> list[JsonValue]:
    """The last runs and how they ended; without their parameters, which are people's own."""
    runs = await client.read_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=_RUNS)
    flows = await read_flow_names(client, [run.flow_id for run in runs])
    return [_show_run(run, flows.get(run.flow_id, "")) for run in runs]


def _show_run(run: FlowRun, flow: str) -> JsonValue:
    return {
        "id": str(run.id),
        "flow": flow,
        "name": run.name,
        "pool": run.work_pool_name,
        "state": run.state_name,
        "message": run.state.message if run.state else None,
        "starts": run.run_count,
        "expected": _time(run.expected_start_time),
        "started": _time(run.start_time if run.run_count else None),
        "ended": _time(run.end_time),
    }


def _time(then: datetime | None) -> str | None:
    return None if then is None else then.isoformat(timespec="seconds")


def _versions() -> JsonValue:
    # In a line each: a name such as keyring would be taken for that of a secret.
    packages: list[JsonValue] = [*sorted(f"{one.name} {one.version}" for one in distributions())]
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "packages": packages,
    }


def _environment() -> JsonValue:
    """The variables that AdSpark, Prefect, PostgreSQL and the stores of pictures read."""
    try:
        written = read_env_file(ENV_FILE)
    except AdSparkError as error:
        written = {"error": str(error)}
    return {"environment": _select(os.environ), ".env": _select(written)}


def _select(variables: "os._Environ[str] | dict[str, str | None]") -> JsonValue:
    return {
        name: variables[name]
        for name in sorted(variables)
        if name.upper().startswith(_VARIABLES) or name.upper() in (*_SHELL, "ERROR")
    }


def _show_settings(settings: Settings) -> JsonValue:
    """All settings; of a secret only whether it is set."""
    shown: dict[str, JsonValue] = {}
    for name, value in settings:
        if isinstance(value, SecretStr):
            shown[name] = MASK
        else:
            shown[name] = value if isinstance(value, int | float | None) else str(value)
    return shown


def _homes(settings: Settings) -> Iterator[Path]:
    """The folders in which a stack may have written logs."""
    stack = running_stack(settings.home)
    places = [settings.home, *(settings.home / name for name in (SANDBOX_DATA, DEMO_DATA))]
    yield from dict.fromkeys([*places, *([stack.home] if stack else [])])


def _add_logs(archive: Archive, place: Path, home: Path) -> None:
    """The ends of the logs in a folder of data."""
    prefix = "" if place == home else f"{place.name}/"
    files: Sequence[Path] = [
        *place.glob("stack.log"), *sorted(place.glob("logs/*.log")), *place.glob("postgres/*.log")
    ]  # fmt: skip
    for one in files:
        if one.is_symlink() or not one.is_file():
            continue
        kind = "postgres-" if one.parent.name == "postgres" else ""
        name = f"logs/{prefix}{kind}{one.name}"
        try:
            archive.add_text(name, _read_end(one))
        except PermissionError as error:
            archive.add_text(name, f"{error.strerror}\n")


def _read_end(file: Path) -> str:
    """Its last whole lines."""
    with file.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _LOG_BYTES))
        content = stream.read(_LOG_BYTES)
    if size > _LOG_BYTES:
        content = content.partition(b"\n")[2]  # half a line might begin within a secret
    return content.decode(errors="replace")


def _describe(names: Sequence[str]) -> str:
    listed = "\n".join(f"  {name}" for name in names)
    return (
        f"AdSpark's report of {utc_minute(datetime.now(UTC))}\n\n{listed}\n\n"
        "Keys and passwords are redacted (***). Names of folders, hosts, accounts, watches and\n"
        "advertisers are not: look it over before you pass it on.\n"
    )
