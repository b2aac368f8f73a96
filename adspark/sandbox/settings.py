"""What a sandbox is made of: key, address, limits, generated ads, clock and faults."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from adspark.sandbox.dify.faults import DifyFault
from adspark.sandbox.dify.shape import WorkflowShape
from adspark.sandbox.serpapi.faults import Fault

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time, aware."""
    return datetime.now(UTC)


class SandboxSettings(BaseModel):
    """Settings of one sandbox.

    Attributes:
        api_key: the only key that it accepts; not a secret.
        base_url: its own address, as its answers name it.
        monthly_quota: searches a calendar month (UTC) before 429.
        hourly_limit: searches a clock hour before 429.
        cached_for: seconds that a repeat of a search is answered from the cache; 0 is never.
        latency: seconds that each search outside the cache takes.
        seed: of the generated ads, the page tokens and the faults' chances.
        generated_advertisers: how many invented advertisers are served beside the recorded.
        creatives_per_advertiser: how many ads each of those has.
        clock: the time, aware; tests move it.
        follows_today: whether the ads' days are moved so that the day of their recording is today.
        faults: those switched on from the start and after a reset.
        dify_key: the only key that its Dify accepts; not a secret.
        dify_workflow_id: the published version of the workflow.
        dify_draft_id: the version that is not published, which nobody can run.
        dify_workflow: how the workflow is built at the start and after a reset.
        dify_faults: as `faults`, of Dify.
        generation_seconds: how long a run takes.
        ping_every: seconds between the pings of a stream in which nothing happens.
        files_expire_after: seconds that a signed address of a file is good for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: Annotated[str, Field(min_length=1)] = "sandbox-key"
    base_url: Annotated[
        str, Field(pattern=r"^https?://[^/]+"), AfterValidator(lambda url: url.rstrip("/"))
    ] = "http://127.0.0.1:4300"
    monthly_quota: Annotated[int, Field(ge=0)] = 100_000
    hourly_limit: Annotated[int, Field(ge=0)] = 20_000
    cached_for: Annotated[float, Field(ge=0)] = 3600.0
    latency: Annotated[float, Field(ge=0)] = 0.0
    seed: int = 0
    generated_advertisers: Annotated[int, Field(ge=0, le=9_999_999)] = 0
    creatives_per_advertiser: Annotated[int, Field(ge=1, le=10**9)] = 40
    clock: Clock = utc_now
    follows_today: bool = False
    faults: tuple[Fault, ...] = ()
    dify_key: Annotated[str, Field(min_length=1)] = "app-sandbox"
    dify_workflow_id: str = "5a4dbb0c-0000-4000-8000-000000000001"
    dify_draft_id: str = "5a4dbb0c-0000-4000-8000-000000000002"
    dify_workflow: WorkflowShape = WorkflowShape()
    dify_faults: tuple[DifyFault, ...] = ()
    generation_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    ping_every: Annotated[float, Field(gt=0)] = 10.0
    files_expire_after: Annotated[float, Field(ge=0)] = 300.0
