"""Settings from the environment (prefix ADSPARK_) and an optional `.env` file."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adspark.errors import ConfigurationError
from adspark.home.env_file import read_env_file
from adspark.text.redaction import remember, remember_address
from adspark.validation.bounds import RATE, Days, Port, Range, TimeLimit
from adspark.validation.messages import describe_validation_error
from adspark.validation.public_addresses import (
    HostName,
    HostPort,
    Network,
    PublicUrl,
    ServiceUrl,
)

DEFAULT_SEARCHES_PER_MINUTE = 10
DEFAULT_GENERATIONS_PER_MINUTE = 30

BROWSER_MEMORY = Range(256, 1_000_000)  # megabytes; an empty page takes 200
LEDGER_DAYS = Range(62, 36_500)  # budgets and forecasts need two months of it
RUN_MEMORY = Range(256, 1_048_576)  # MB; with less, Python and Prefect do not begin
RUN_PICTURES = Range(1, 1_000_000)
MEGABYTES = Range(1, 1_000_000_000)
ENV_FILE = Path(".env")
_ACCOUNT = "account"  # in place of a number
_IS_ADDRESS = re.compile("://|::")  # to fsspec
_LISTS = ("retry_delays", "trusted_hosts", "allowed_hosts", "trusted_proxies")
_RetryDelay = Annotated[float, Range(0, 86_400)]  # seconds


def _default_home() -> Path:
    """For root a folder that the account can enter under which Postgres then runs."""
    return Path("/var/lib/adspark") if os.geteuid() == 0 else Path.home() / ".adspark"


class Settings(BaseSettings):
    """Every setting has a default that works on one machine without an account anywhere."""

    model_config = SettingsConfigDict(
        env_prefix="ADSPARK_", env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(default_factory=_default_home)
    """Folder of the embedded database, the logs and the state of the local stack."""
    database_url: SecretStr | None = None
    """postgresql://user:password@host:5432/adspark, PostgreSQL 15 or newer, through a pooler only
    in session mode; empty: an embedded server in ADSPARK_HOME."""
    serpapi_key: SecretStr | None = None
    """SerpApi's private API key."""
    serpapi_url: ServiceUrl = "https://serpapi.com"
    """SerpApi's base address."""
    serpapi_timeout: TimeLimit = 60.0
    """Seconds that one search may take."""
    notify_addresses: SecretStr | None = None
    """Apprise addresses of the daily digest and of alerts, separated by spaces or new lines; empty:
    only the artifact."""
    searches_per_minute: Annotated[int, RATE] | Literal["account"] = DEFAULT_SEARCHES_PER_MINUTE
    """Searches a minute over all workers, as provisioning sets the limit `serpapi-searches` in
    Prefect: a number where there is none yet (one that was set by hand wins), or `account`: as many
    as SerpApi's account allows, asked at each start."""
    fetch_time_limit: TimeLimit = 300.0
    """Seconds that one attempt of a fetch may take."""
    watch_time_limit: TimeLimit = 180.0
    """Seconds that one attempt of a single watch may take."""
    sweep_time_limit: TimeLimit = 600.0
    """Seconds that a sweep of all watches may take; no search is begun in the last tenth."""
    sweep_shard_size: Annotated[int, Range(1, 100_000)] = 1000
    """Due watches above which a sweep is shared out over the workers."""
    retry_delays: Annotated[tuple[_RetryDelay, ...], NoDecode] = (60.0, 120.0, 240.0)
    """Seconds before each retry of a temporary failure, comma-separated."""
    generator: Literal["dify", "chat"] = "dify"
    """What makes variants: a Dify workflow, or a chat model (OpenAI-compatible)."""
    dify_key: SecretStr | None = None
    """API key of the workflow app, app-…."""
    dify_url: ServiceUrl = "https://api.dify.ai/v1"
    """Dify's address, or that of a Dify of one's own, up to and with /v1."""
    dify_workflow_id: str | None = None
    """A published version of the workflow; empty: the newest."""
    chat_url: ServiceUrl | None = None
    """Address of a chat endpoint, up to and with /v1."""
    chat_model: str | None = None
    """Its model."""
    chat_key: SecretStr | None = None
    """Its key, if it wants one."""
    generations_per_minute: Annotated[int, RATE] = DEFAULT_GENERATIONS_PER_MINUTE
    """Generations a minute over all workers, as provisioning sets the limit `variant-generations`
    in Prefect where there is none yet; one that was set by hand wins."""
    generation_time_limit: TimeLimit = 1800.0
    """Seconds that one attempt of a generation may take."""
    media_url: SecretStr | None = None
    """Where pictures are kept: a folder (a relative one in ADSPARK_HOME), or an address of fsspec
    as s3://bucket/folder (with the extra `s3`), which may hold a password and is shown nowhere;
    empty: the folder media in ADSPARK_HOME."""
    too_close: Annotated[float, Range(0.001, 1)] = 0.9
    """Similarity to the original, 0 to 1, from which a variant is marked."""
    review_time_limit: TimeLimit = 86400.0
    """Seconds that a finished variant waits for its review."""
    cleanup_time_limit: TimeLimit = 1800.0
    """Seconds that one attempt of a clean-up may take."""
    upkeep_time_limit: TimeLimit = 300.0
    """Seconds that a health check, a look for lost runs or for variants may take."""
    drain_time: Annotated[float, Range(0, 86_400)] = 30.0
    """Seconds that a worker that has to stop waits for its runs to end."""
    tidy_up_time: TimeLimit = 60.0
    """Seconds that a run has after the time limit of its attempt, or after SIGTERM, before its
    process is killed."""
    keep_fetches_days: Annotated[int, LEDGER_DAYS] = 400
    """Days that the ledger of fetches is kept; at least 62."""
    keep_rejected_days: Days = 30
    """Days that rows which could not be read are kept."""
    keep_messages_days: Days = 90
    """Days that delivered digests are kept."""
    keep_runs_days: Annotated[float, Range(0.05, 36_500)] = 30
    """Days that Prefect keeps ended runs with their logs."""
    archive_time_limit: TimeLimit = 180.0
    """Seconds that one attempt of archiving pictures may take; none is begun in the last third."""
    archive_run_pictures: Annotated[int, RUN_PICTURES] = 2000
    """Pictures that one run of the archive begins at most."""
    archive_run_megabytes: Annotated[int, MEGABYTES] = 500
    """Megabytes after which a run of the archive begins none."""
    export_time_limit: TimeLimit = 3600.0
    """Seconds that one attempt of an export may take."""
    words_time_limit: TimeLimit = 180.0
    """Seconds that one attempt of reading words may take; no picture is begun in the last third."""
    words_run_pictures: Annotated[int, RUN_PICTURES] = 1000
    """Pictures that one run reads at most."""
    archive_days: Days = 400
    """Days that archived pictures of earlier versions, and of ads that are gone, are kept."""
    archive_megabytes: Annotated[int, MEGABYTES] = 10_000
    """Megabytes of archived pictures with thumbnails; full, the archive waits for clean-up, which
    removes the oldest that nothing needs, and `health-check` warns."""
    browser: Path | None = None
    """Chromium's program; empty: Playwright's own, else the system's."""
    browser_sandbox: bool = True
    """Chromium's own sandbox; off in containers that do not allow it, and for root."""
    browser_memory: Annotated[int, BROWSER_MEMORY] = 1024
    """Megabytes that the browser may take with all its processes; past them it is ended, and the ad
    that it rendered counts as unusable."""
    render_time_limit: TimeLimit = 30.0
    """Seconds that one picture of an ad may take."""
    render_scale: Annotated[float, Range(0.5, 4)] = 1.0
    """Device scale factor of pictures of ads."""
    trusted_hosts: Annotated[tuple[HostPort, ...], NoDecode] = ()
    """host:port pairs, comma-separated, that may be requested although they are private, as a Dify
    of one's own."""
    pool_type: Literal["process", "docker", "kubernetes"] = "process"
    """What runs are: processes of their worker, containers (docker-compose.yml), or Jobs of
    Kubernetes, which Prefect's own worker starts."""
    run_image: str | None = None
    """Image of the runs' containers."""
    run_network: str | None = None
    """Docker network from which they reach Prefect and the database."""
    run_memory: Annotated[int, RUN_MEMORY] | None = None
    """MB of memory of each; empty: as their pool says, 512 to 2048."""
    run_volume: str | None = None
    """Docker volume, or claim of a volume in Kubernetes, that is their ADSPARK_HOME: pictures and
    results. In Kubernetes empty: a pod's own, which ends with it."""
    run_namespace: str = "adspark"
    """Namespace of their Jobs in Kubernetes."""
    prefect_port: Port = 4200
    """Port of Prefect's server."""
    metrics_port: Port = 4290
    """Port of the figures for Prometheus."""
    gallery_port: Port = 4280
    """Port of the gallery."""
    allowed_hosts: Annotated[tuple[HostName, ...], NoDecode] = ()
    """Names, comma-separated, under which browsers reach the servers of `adspark up`, the metrics
    and the gallery, beside localhost and addresses; others are refused."""
    gallery_url: PublicUrl | None = None
    """Address under which people reach the gallery, as https://ads.example.com, where a proxy
    stands before it: of links that are shared; of https, cookies are Secure."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ("127.0.0.1", "::1")
    """Addresses and networks, comma-separated, of proxies before the gallery, which say in
    X-Forwarded-For where a request is from; those of others are not believed."""
    sandbox_port: Port = 4300
    """Port of the sandbox."""

    @property
    def archive_bytes(self) -> int:
        """Bytes that archived pictures may take."""
        return self.archive_megabytes * 2**20

    @field_validator("home")
    @classmethod
    def _expand_home(cls, home: Path) -> Path:
        # By one name, whichever link leads to it: commands compare it with that of a stack.
        return Path(os.path.realpath(_expand(home)))

    @field_validator("media_url")
    @classmethod
    def _expand_media_folder(
        cls, url: SecretStr | None, others: ValidationInfo
    ) -> SecretStr | None:
        """Of a folder, which is in the home where it is relative, as the stack's processes have
        always had it; an address of fsspec stays."""
        if url is None or _IS_ADDRESS.search(url.get_secret_value()):
            return url
        folder = _expand(Path(url.get_secret_value()))
        return SecretStr(str(others.data.get("home", Path()) / folder))

    @field_validator("searches_per_minute", mode="before")
    @classmethod
    def _read_rate(cls, value: object) -> object:
        if not isinstance(value, str) or value.strip().lstrip("+-").isdigit():
            return value
        if value.strip().lower() != _ACCOUNT:
            raise ValueError(f"is neither a whole number nor {_ACCOUNT}")
        return _ACCOUNT

    @field_validator(*_LISTS, mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [item.strip() for item in value.split(",") if item.strip()]


def _expand(path: Path) -> Path:
    """A folder without ~; raises ValueError where that is the home of nobody."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path.parts[0]} is no home folder on this machine") from error


def media_url(settings: Settings) -> str:
    """Where pictures are kept; the address may hold a password."""
    own = settings.media_url
    return own.get_secret_value() if own else str(settings.home / "media")


def run_results_folder(settings: Settings) -> Path:
    """Where the runs of the local stack and of containers keep their results, a file each."""
    return settings.home / "results"


def describe_faults(error: ValidationError) -> dict[str, str]:
    """What is wrong with each variable that holds something unusable; shows no value."""
    faults: dict[str, str] = {}
    for one in error.errors(include_input=False, include_url=False):
        faults.setdefault(_variable(one["loc"]), describe_validation_error(one))
    return faults


def _variable(place: tuple[int | str, ...]) -> str:
    """That of a field, by the place of an error in it."""
    return f"ADSPARK_{place[0]}".upper() if place else "ADSPARK_"


@cache
def get_settings() -> Settings:
    """The settings of this process, read once; their secrets are redacted from then on.

    Raises:
        ConfigurationError: a variable holds something unusable, or `.env` cannot be read; the
            message names it.
    """
    read_env_file(ENV_FILE)
    try:
        settings = Settings()
    except ValidationError as error:
        name, fault = next(iter(describe_faults(error).items()))
        place = "the environment" if name in map(str.upper, os.environ) else ENV_FILE
        raise ConfigurationError(f"{name}: {fault}. Correct it in {place}.") from None
    remember(settings.serpapi_key, settings.dify_key, settings.chat_key)
    for address in (
        settings.serpapi_url,
        settings.dify_url,
        settings.chat_url,
        settings.database_url,
        settings.media_url,
    ):
        remember_address(address)
    return settings
