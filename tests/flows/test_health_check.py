"""Health check: everything is looked at, what is wrong is told with what mends it."""

from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State

from adspark.db.engine import Database
from adspark.maintenance.check import Check
from adspark.settings import get_settings
from flows.health_check import HealthSummary, health_check
from tests.support.archived import add_versions
from tests.support.queued import delete_deployments_without_pool
from tests.support.sandbox_control import searches

pytestmark = pytest.mark.usefixtures("environment", "_home")


@pytest.fixture
async def _home() -> None:
    get_settings().home.mkdir(parents=True, exist_ok=True)
    async with get_client() as client:
        await delete_deployments_without_pool(client)


async def checked() -> tuple[State[HealthSummary], dict[str, Check]]:
    """The flow's end, and what it saw."""
    state = await health_check(return_state=True)
    if not state.is_completed():
        return state, {}
    return state, {one.name: one for one in (await state.aresult()).checks}


async def artifact() -> str:
    """What a person reads under Artifacts."""
    async with get_client() as client:
        found = await client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["health"])), limit=200
        )
    return str(max(found, key=lambda one: str(one.created)).data)


async def test_all_is_looked_at_and_nothing_is_paid(sandbox_url: str) -> None:
    state, seen = await checked()
    assert "all is well" in (state.message or ""), state.message
    assert list(seen)[:6] == ["database", "SerpApi", "Dify", "browser", "media store", "disk"]
    assert seen["SerpApi"].what == "100000 of 100000 searches left this month"
    assert (seen["Prefect"].state, seen["database"].state) == ("ok", "ok")
    assert searches(sandbox_url)["billed"] == 0


@pytest.mark.parametrize(
    ("variable", "value", "told", "remedy"),
    [
        ("ADSPARK_SERPAPI_KEY", "wrong", "SerpApi: SerpApi does not accept the key", ""),
        ("ADSPARK_DIFY_KEY", "app-wrong", "Dify: Dify does not accept the key", ""),
        (
            "ADSPARK_BROWSER",
            "/no/browser",
            "browser: ADSPARK_BROWSER: there is no program",
            "install",
        ),
        ("ADSPARK_MEDIA_URL", "/proc/media", "media store: ADSPARK_MEDIA_URL: /proc/media", ""),
        ("ADSPARK_SERPAPI_URL", "http://127.0.0.1:9", "SerpApi: ", "ADSPARK_SERPAPI_URL"),
    ],
    ids=["SerpApi's key", "Dify's key", "browser", "media store", "SerpApi away"],
)
async def test_what_is_wrong_fails_it_and_is_told_with_its_remedy(
    environment: pytest.MonkeyPatch, variable: str, value: str, told: str, remedy: str
) -> None:
    environment.setenv(variable, value)
    get_settings.cache_clear()
    state, _ = await checked()
    assert (state.is_failed(), told in (state.message or "")) == (True, True), state.message
    (line,) = [one for one in (await artifact()).splitlines() if one.startswith("| ❌")]
    assert remedy in line
    assert value not in line or variable == "ADSPARK_BROWSER" or not value.startswith("app-")


async def test_pictures_that_the_store_has_not_are_a_warning_with_its_remedy(
    database: Database,
) -> None:
    async with database.session() as session:
        await add_versions(session, status="stored", count=3)
        await session.commit()
    state, seen = await checked()
    assert seen["pictures"].state == "warning"
    assert "of 6 files looked at, the media store at" in (state.message or "")
    assert "ADSPARK_MEDIA_URL" in await artifact()


async def test_what_is_not_set_up_is_no_failure(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.delenv("ADSPARK_DIFY_KEY")
    get_settings.cache_clear()
    state, seen = await checked()
    assert state.is_completed(), state.message
    assert seen["Dify"].state == "not set up"
    assert "ADSPARK_DIFY_KEY" in seen["Dify"].what
