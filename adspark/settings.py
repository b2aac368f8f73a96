"""Settings from the environment (prefix ADSPARK_) and an optional `.env` file."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adspark.errors import ConfigurationError
from adspark.home.env_file import read_env_file
from adspark.text.redaction import remember, remember_address
from adspark.validation.bounds import RATE, Days, Port, Range, TimeLimit
from adspark.validation.messages import describe_validation_error

DEFAULT_SEARCHES_PER_MINUTE = 10
DEFAULT_GENERATIONS_PER_MINUTE = 30

DRAIN_TIME = Range(0, 86_400)  # seconds
RETRY_DELAY = Range(0, 86_400)  # seconds
SHARD_SIZE = Range(1, 100_000)  # watches
SIMILARITY = Range(0.001, 1)
SCALE = Range(0.5, 4)
BROWSER_MEMORY = Range(256, 1_000_000)  # megabytes; an empty page takes 200
LEDGER_DAYS = Range(62, 36_500)  # budgets and forecasts need two months of it
RUN_DAYS = Range(0.05, 36_500)
ARCHIVE_PICTURES = Range(1, 1_000_000)
MEGABYTES = Range(1, 1_000_000_000)
ENV_FILE = Path(".env")
RUN_MEMORY = Range(256, 1_048_576)  # MB; with less, Python and Prefect do not begin


def _default_home() -> Path:
    """`~/.adspark`; for root a system folder, since Postgres never runs as root and the account
    that it gets instead cannot enter root's own folder."""
    return Path("/var/lib/adspark") if os.geteuid() == 0 else Path.home() / ".adspark"


class Settings(BaseSettings):
    """Every setting has a default that works on one machine without an account anywhere."""

    model_config = SettingsConfigDict(
        env_prefix="ADSPARK_",
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(
        default_factory=_default_home, description="Folder of the embedded database and the logs."
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://…; empty: an embedded server in ADSPARK_HOME."
    )
    serpapi_key: SecretStr | None = Field(default=None, description="SerpApi's private API key.")
    serpapi_url: str = Field(default="https://serpapi.com", description="SerpApi's base address.")
    serpapi_timeout: TimeLimit = Field(
        default=60.0, description="Seconds that one search may take."
    )
    notify_addresses: SecretStr | None = Field(
        default=None,
        description="Apprise addresses of the daily digest, separated by spaces or new lines; "
        "empty: only the artifact.",
    )
    searches_per_minute: Annotated[int, RATE] | Literal["account"] = Field(
        default=DEFAULT_SEARCHES_PER_MINUTE,
        description="Searches a minute that provisioning sets in Prefect: a number where there is "
        "none yet, or `account`: as many as SerpApi's account allows.",
    )
    fetch_time_limit: TimeLimit = Field(
        default=300.0, description="Seconds that one attempt of a fetch may take."
    )
    watch_time_limit: TimeLimit = Field(
        default=180.0, description="Seconds that one attempt of a single watch may take."
    )
    sweep_time_limit: TimeLimit = Field(
        default=600.0, description="Seconds that a sweep of all watches may take."
    )
    sweep_shard_size: Annotated[int, SHARD_SIZE] = Field(
        default=1000, description="Due watches above which a sweep is split over the workers."
    )
    retry_delays: Annotated[tuple[Annotated[float, RETRY_DELAY], ...], NoDecode] = Field(
        default=(60.0, 120.0, 240.0), description="Seconds before each retry, comma-separated."
    )
    generator: Literal["dify", "chat"] = Field(
        default="dify",
        description="What makes variants: a Dify workflow, or a chat model (OpenAI-compatible).",
    )
    dify_key: SecretStr | None = Field(
        default=None, description="API key of the workflow app, app-…."
    )
    dify_url: str = Field(
        default="https://api.dify.ai/v1", description="Dify's address, up to and with /v1."
    )
    dify_workflow_id: str | None = Field(
        default=None, description="A published version of the workflow; empty: the newest."
    )
    chat_url: str | None = Field(
        default=None, description="Address of a chat endpoint, up to and with /v1."
    )
    chat_model: str | None = Field(default=None, description="Its model.")
    chat_key: SecretStr | None = Field(default=None, description="Its key, if it wants one.")
    generations_per_minute: Annotated[int, RATE] = Field(
        default=DEFAULT_GENERATIONS_PER_MINUTE,
        description="Generations a minute that provisioning sets in Prefect where there is no "
        "such limit yet.",
    )
    generation_time_limit: TimeLimit = Field(
        default=1800.0, description="Seconds that one attempt of a generation may take."
    )
    media_url: SecretStr | None = Field(
        default=None,
        description="Where pictures are kept: a folder, or an address of fsspec as s3://…, which "
        "may hold a password; empty: the folder media in ADSPARK_HOME.",
    )
    too_close: Annotated[float, SIMILARITY] = Field(
        default=0.9,
        description="Similarity to the original, 0 to 1, from which a variant is marked.",
    )
    review_time_limit: TimeLimit = Field(
        default=86400.0, description="Seconds that a finished variant waits for a review."
    )
    cleanup_time_limit: TimeLimit = Field(
        default=1800.0, description="Seconds that one attempt of a clean-up may take."
    )
    upkeep_time_limit: TimeLimit = Field(
        default=300.0,
        description="Seconds that a health check, a look for lost runs or for variants may take.",
    )
    drain_time: Annotated[float, DRAIN_TIME] = Field(
        default=30.0,
        description="Seconds that a worker that has to stop waits for its runs to end.",
    )
    tidy_up_time: TimeLimit = Field(
        default=60.0,
        description="Seconds that a run has after the time limit of its attempt, or after SIGTERM, "
        "before its process is killed.",
    )
    keep_fetches_days: Annotated[int, LEDGER_DAYS] = Field(
        default=400, description="Days that the ledger of fetches is kept; at least 62."
    )
    keep_rejected_days: Days = Field(
        default=30, description="Days that rows which could not be read are kept."
    )
    keep_messages_days: Days = Field(
        default=90, description="Days that delivered digests are kept."
    )
    keep_runs_days: Annotated[float, RUN_DAYS] = Field(
        default=30, description="Days that Prefect keeps ended runs with their logs."
    )
    archive_time_limit: TimeLimit = Field(
        default=180.0,
        description="Seconds that one attempt of archiving pictures may take; none is begun in "
        "the last third.",
    )
    archive_run_pictures: Annotated[int, ARCHIVE_PICTURES] = Field(
        default=2000, description="Pictures that one run of the archive begins at most."
    )
    archive_run_megabytes: Annotated[int, MEGABYTES] = Field(
        default=500, description="Megabytes after which a run of the archive begins none."
    )
    archive_days: Days = Field(
        default=400,
        description="Days that archived pictures of earlier versions, and of ads that are gone, "
        "are kept.",
    )
    archive_megabytes: Annotated[int, MEGABYTES] = Field(
        default=10_000,
        description="Megabytes of archived pictures with thumbnails; full, the archive waits for "
        "clean-up, which removes the oldest that nothing needs.",
    )
    browser: Path | None = Field(
        default=None, description="Chromium's program; empty: Playwright's own, else the system's."
    )
    browser_sandbox: bool = Field(
        default=True,
        description="Chromium's own sandbox; off in containers that do not allow it, and for root.",
    )
    browser_memory: Annotated[int, BROWSER_MEMORY] = Field(
        default=1024,
        description="Megabytes that the browser may take with all its processes; past them it is "
        "ended, and the ad that it rendered counts as unusable.",
    )
    render_time_limit: TimeLimit = Field(
        default=30.0, description="Seconds that one picture of an ad may take."
    )
    render_scale: Annotated[float, SCALE] = Field(
        default=1.0, description="Device scale factor of pictures of ads."
    )
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="host:port pairs, comma-separated, that may be requested although they are "
        "private, as a Dify of one's own.",
    )
    pool_type: Literal["process", "docker"] = Field(
        default="process",
        description="What runs are: processes of their worker, or containers (docker-compose.yml).",
    )
    run_image: str | None = Field(default=None, description="Image of the runs' containers.")
    run_network: str | None = Field(
        default=None, description="Docker network from which they reach Prefect and the database."
    )
    run_memory: Annotated[int, RUN_MEMORY] | None = Field(
        default=None, description="MB of memory of each; empty: as their pool says, 512 to 2048."
    )
    run_volume: str | None = Field(
        default=None, description="Docker volume that is their ADSPARK_HOME: pictures and results."
    )
    prefect_port: Port = Field(default=4200, description="Port of Prefect's server.")
    metrics_port: Port = Field(default=4290, description="Port of the figures for Prometheus.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Names, comma-separated, under which browsers reach the servers of "
        "`adspark up` and `adspark metrics`, beside localhost and addresses; others are refused.",
    )
    sandbox_port: Port = Field(default=4300, description="Port of the sandbox.")

    @field_validator("home")
    @classmethod
    def _expand_home(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("retry_delays", "trusted_hosts", "allowed_hosts", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()]
            if isinstance(value, str)
            else value
        )


def media_url(settings: Settings) -> str:
    """Where pictures are kept; the address may hold a password."""
    own = settings.media_url
    return own.get_secret_value() if own else str(settings.home / "media")


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
        first = error.errors(include_input=False, include_url=False)[0]
        name = "ADSPARK_" + "_".join(str(part) for part in first["loc"][:1]).upper()
        raise ConfigurationError(
            f"{name}: {describe_validation_error(first)}. Correct it in the environment."
        ) from None
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
