"""One call of each kind to each service."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from pydantic import SecretStr

from adspark.generators.chat import ChatGenerator
from adspark.generators.dify.client import DifyClient
from adspark.serpapi.client import SerpApiClient
from tests.support.chat_requests import REQUEST, Notes
from tests.support.factories import query

KEY = SecretStr("sk-9f2c41d07ab35e8896d2417fa0c35be1")


async def _search(url: str) -> object:
    async with SerpApiClient(KEY, base_url=url) as serpapi:
        return await serpapi.fetch_page(query())


async def _account(url: str) -> object:
    async with SerpApiClient(KEY, base_url=url) as serpapi:
        return await serpapi.account()


async def _form(url: str) -> object:
    async with DifyClient(KEY, base_url=url) as dify:
        return await dify.form()


async def _upload(url: str) -> object:
    async with DifyClient(KEY, base_url=url) as dify:
        return await dify.upload(b"PNG", name="a.png", media_type="image/png", user="u")


async def _run(url: str) -> object:
    async with (
        DifyClient(KEY, base_url=url) as dify,
        aclosing(dify.run({}, user="u")) as events,
    ):
        return [event async for event in events]


async def _chat(url: str) -> object:
    async with ChatGenerator(url, model="m", key=KEY) as generator:
        return await generator.generate(REQUEST, Notes())


CALLS: dict[str, Callable[[str], Awaitable[object]]] = {
    "search": _search,
    "account": _account,
    "form": _form,
    "upload": _upload,
    "run": _run,
    "chat": _chat,
}
