"""A worker that makes open variants until it is killed; started by `batch` in a forkserver.

It claims and generates as the flow's tasks do. The picture of each original is drawn beforehand,
for rendering is not what this is about.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from adspark.db.engine import Database
from adspark.db.rate_limits import acquire_slot
from adspark.db.rates import GENERATIONS
from adspark.errors import AdSparkError, TemporaryError
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.generator import DifyGenerator
from adspark.generators.dify.inputs import WorkflowMapping
from adspark.media.paths import original_path
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.variants.generate import GenerationDeps, claim_variant, generate
from adspark.variants.lists import read_open_variants
from adspark.variants.state import VariantState

ORIGINAL = "0" * 64
"""The key of the picture that every original has."""

_TRIES = 4  # as tasks have
_PAUSE = 0.05  # seconds between two tries, and two looks for open variants
_PER_MINUTE = 100_000


@dataclass(frozen=True)
class Place:
    """Where a worker works: the database, the sandbox, the folder of pictures."""

    database_url: str
    sandbox_url: str
    media: str


def work(place: Place, number: int) -> None:
    """Make variants for ever; workers begin at different places of the list."""
    asyncio.run(_work(place, number))


async def _work(place: Place, number: int) -> None:
    rules = AddressRules([place.sandbox_url.removeprefix("http://")])
    async with (
        Database(place.database_url) as database,
        DifyClient(
            SecretStr("app-sandbox"),
            base_url=f"{place.sandbox_url}/v1",
            first_event=1.0,
            silence=1.0,
        ) as client,
        Downloader(rules) as downloader,
    ):
        deps = GenerationDeps(
            database=database,
            media=MediaStore(place.media),
            generator=DifyGenerator(
                client, WorkflowMapping(), run_limit=30, lost_after=2.0, listed_within=1.0
            ),
            downloader=downloader,
            too_close=0.9,
            gate=partial(acquire_slot, database, name=GENERATIONS, limit=_PER_MINUTE),
            progress=_say_nothing,
        )
        while True:
            async with database.session() as session:
                opened = [one.id for one in await read_open_variants(session)]
            if opened:
                with suppress(AdSparkError):  # it has ended, waits, or is another worker's
                    await _make(deps, opened[number % len(opened)])
            await asyncio.sleep(_PAUSE)


async def _make(deps: GenerationDeps, variant_id: int) -> None:
    claim = claim_variant(deps.database, variant_id, flow_run_id=None, generator="dify")
    async with claim as variant:
        async with deps.database.session() as session, session.begin():
            await VariantState(session, variant).save_original(
                path=original_path(ORIGINAL), sha256=ORIGINAL
            )
        for _ in range(_TRIES - 1):
            with suppress(TemporaryError):
                await generate(deps, variant_id=variant_id)
                return
            await asyncio.sleep(_PAUSE)
        await generate(deps, variant_id=variant_id)


async def _say_nothing(_done: float, _doing: str) -> None:
    """Nobody watches."""
