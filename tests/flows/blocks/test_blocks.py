"""Blocks: they keep Prefect's standards, hide secrets and fall back on the environment."""

import asyncio

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites.blocks import BlockStandardTestSuite
from pydantic import SecretStr

from adspark.db.engine import Database, read_now
from adspark.errors import ConfigurationError, InvalidCredentialsError
from adspark.settings import Settings, get_settings
from blocks.adspark_database import AdSparkDatabase, connect_database
from blocks.alert_recipients import AlertRecipients
from blocks.chat_model import ChatModel
from blocks.configured import DOCUMENT, ConfiguredBlock
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials


@pytest.mark.parametrize(
    "block",
    [
        SerpApiCredentials,
        AdSparkDatabase,
        DigestRecipients,
        AlertRecipients,
        DifyWorkflow,
        ChatModel,
    ],
)
class TestStandards(BlockStandardTestSuite):
    """What Prefect asks of every block."""

    @pytest.fixture
    def block(self, request: pytest.FixtureRequest) -> type[Block]:
        found: type[Block] = request.param
        return found

    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """Prefect's own test fetches the picture; here its address has to do."""
        assert block._logo_url is not None
        assert str(block._logo_url).startswith("https://")


async def test_a_saved_document_goes_before_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    saved = SerpApiCredentials(api_key=SecretStr("saved-key"))
    await saved.save(DOCUMENT, overwrite=True)
    try:
        loaded = await SerpApiCredentials.load_configured()
    finally:
        await SerpApiCredentials.adelete(DOCUMENT)
    assert loaded.api_key.get_secret_value() == "saved-key"


async def test_without_a_document_the_environment_is_used(environment: pytest.MonkeyPatch) -> None:
    loaded = await SerpApiCredentials.load_configured()
    assert loaded.api_key.get_secret_value() == "sandbox-key"
    assert loaded.base_url == get_settings().serpapi_url


def test_without_a_key_the_error_says_where_to_put_one() -> None:
    with pytest.raises(InvalidCredentialsError, match="set ADSPARK_SERPAPI_KEY"):
        SerpApiCredentials.from_settings(Settings())


@pytest.mark.parametrize(
    ("block", "remedy"),
    [(DifyWorkflow, "set ADSPARK_DIFY_KEY"), (ChatModel, "ADSPARK_CHAT_URL .* ADSPARK_CHAT_MODEL")],
)
def test_a_generator_that_is_not_set_up_says_how(block: type[ConfiguredBlock], remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        block.from_settings(Settings())


async def test_a_chat_model_is_made_from_the_settings() -> None:
    settings = Settings(
        chat_url="http://localhost:11434/v1", chat_model="llava", chat_key=SecretStr("chat-secret")
    )
    async with ChatModel.from_settings(settings).open_generator() as generator:
        assert generator.hosts == ("localhost:11434",)


async def test_secrets_are_not_in_what_the_server_tells() -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    await AdSparkDatabase(url=SecretStr("postgresql://u:hunter2@h/d")).save(DOCUMENT)
    try:
        async with get_client() as client:
            found = await client.read_block_document_by_name(
                DOCUMENT, "adspark-database", include_secrets=False
            )
    finally:
        await AdSparkDatabase.adelete(DOCUMENT)
    assert "hunter2" not in found.model_dump_json()


async def test_the_database_block_opens_the_database(database_url: str) -> None:
    async with AdSparkDatabase(url=SecretStr(database_url)).connect() as database:
        await database.check_server()


@pytest.mark.usefixtures("environment")
async def test_whoever_connects_inside_shares_the_connection_and_the_outermost_closes_it() -> None:
    async with connect_database() as outer:
        async with connect_database() as inner:
            assert inner is outer
        async with outer.session() as session:  # the inner end has closed nothing
            assert await read_now(session) is not None
        assert await asyncio.create_task(connected()) is outer
        assert await asyncio.to_thread(lambda: asyncio.run(connected())) is not outer
    assert await connected() is not outer


async def connected() -> Database:
    """The database that whoever connects here gets."""
    async with connect_database() as database:
        return database
