"""A command asks the generator of the running server whether it takes a prompt."""

import asyncio

import pytest
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from adspark.errors import InvalidQueryError
from adspark.settings import get_settings
from blocks.configured import DOCUMENT
from blocks.dify_workflow import DifyWorkflow
from deployments.cli.variants.prompt_check import check_prompt

pytestmark = pytest.mark.usefixtures("environment", "nothing_stays")


@pytest.fixture
async def known_to_the_server_only(environment: pytest.MonkeyPatch, sandbox_url: str) -> None:
    """The workflow stands in the server's block, the command's environment knows none."""
    block = DifyWorkflow(api_key=SecretStr("app-sandbox"), base_url=f"{sandbox_url}/v1")
    await block.save(DOCUMENT, overwrite=True)
    environment.delenv("ADSPARK_DIFY_URL")
    environment.delenv("ADSPARK_DIFY_KEY")
    environment.setenv("PREFECT_API_URL", PREFECT_API_URL.value() or "")
    get_settings.cache_clear()


@pytest.mark.usefixtures("known_to_the_server_only")
async def test_the_servers_block_says_which_workflow_is_asked() -> None:
    await asyncio.to_thread(check_prompt, "x" * 2000)
    with pytest.raises(InvalidQueryError) as raised:
        await asyncio.to_thread(check_prompt, "x" * 7999)
    assert str(raised.value).startswith(
        "prompt: 7999 characters; this workflow's input 'prompt' takes at most 2000."
    )


async def test_where_the_server_does_not_answer_the_prompt_passes(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    await asyncio.to_thread(check_prompt, "x" * 7999)
