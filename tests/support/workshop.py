"""What tests of generating share: a place with a database, a sandbox, a browser, and media."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.errors import AdSparkError, TemporaryError
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.generator import DifyGenerator
from adspark.generators.dify.inputs import WorkflowMapping
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.rendering.renderer import Renderer
from adspark.serpapi.client import SerpApiClient, no_gate
from adspark.variants.generate import (
    GenerationDeps,
    cancel,
    claim_variant,
    ensure_original,
    generate,
)
from adspark.variants.requests import VariantRequest, request_variants
from adspark.variants.state import VariantState
from adspark.variants.store import VariantSummary, read_variant, summary_of
from tests.support import asking
from tests.support.factories import ADVERTISER_ID, query
from tests.support.watching import KEY

DIFY_KEY = SecretStr("app-sandbox")
_PAUSE = 0.05  # seconds between two tries
_Made = TypeVar("_Made")


@dataclass
class Workshop:
    """Where a test makes variants; every call opens what it needs, as another process would."""

    database: Database
    url: str
    media: MediaStore
    first_event: float = 2.0
    silence: float = 2.0
    run_limit: float = 30.0
    lost_after: float = 0.5
    listed_within: float = 0.5
    too_close: float = 0.9
    transport: httpx.AsyncBaseTransport | None = None
    steps: list[str] = field(default_factory=list)

    async def stock(self, advertiser_id: str = ADVERTISER_ID) -> list[str]:
        """Store an advertiser's recorded ads; returns the ids of those with a picture."""
        async with SerpApiClient(KEY, base_url=self.url) as client:
            page = await client.fetch_page(query(advertiser_ids=advertiser_id))
        async with self.database.session() as session:
            await save_creatives(session, rows=page.rows)
            await session.commit()
        return [row.ad_creative_id for row in page.rows if row.image]

    async def request(self, *ids: str, prompt: str = "Make it a summer ad") -> list[int]:
        """Ask for a variant of each."""
        requests = [VariantRequest(original_ad_id=one, prompt=prompt, user_id=1) for one in ids]
        async with self.database.session() as session:
            made = await request_variants(session, requests=requests)
            await session.commit()
        return made

    async def make(self, variant_id: int, *, tries: int = 1) -> VariantSummary:
        """Take a variant up, as a flow run does.

        Args:
            tries: of each step, where it fails for the moment.
        """
        claim = claim_variant(self.database, variant_id, flow_run_id=None, generator="dify")
        async with claim, self.deps() as deps:
            async with self.renderer() as renderer:
                keep = partial(ensure_original, self.database, self.media, renderer)
                await _try(partial(keep, variant_id=variant_id), tries)
            return await _try(partial(generate, deps, variant_id=variant_id), tries)

    async def try_to_make(self, variant_id: int, *, tries: int = 1) -> VariantSummary:
        """Take a variant up, whatever becomes of it."""
        with suppress(AdSparkError):
            await self.make(variant_id, tries=tries)
        async with self.database.session() as session:
            return summary_of(await read_variant(session, variant_id=variant_id))

    async def retry(self, variant_id: int) -> None:
        """A person asks for another try."""
        async with self.database.session() as session:
            variant = await read_variant(session, variant_id=variant_id)
            await VariantState(session, variant).retry()
            await session.commit()

    async def cancel(self, variant_id: int) -> bool:
        """Nobody wants it any more."""
        return await cancel(self.database, lambda _: self.generator(), variant_id=variant_id)

    @asynccontextmanager
    async def deps(self) -> AsyncIterator[GenerationDeps]:
        """What a process makes variants with."""
        async with self.generator() as generator, Downloader(self.rules) as downloader:
            yield GenerationDeps(
                database=self.database,
                media=self.media,
                generator=generator,
                downloader=downloader,
                too_close=self.too_close,
                gate=no_gate,
                progress=self._note,
            )

    @asynccontextmanager
    async def generator(self) -> AsyncIterator[DifyGenerator]:
        """The sandbox's workflow."""
        async with DifyClient(
            DIFY_KEY,
            base_url=f"{self.url}/v1",
            first_event=self.first_event,
            silence=self.silence,
            transport=self.transport,
        ) as client:
            yield DifyGenerator(
                client,
                WorkflowMapping(),
                run_limit=self.run_limit,
                lost_after=self.lost_after,
                listed_within=self.listed_within,
            )

    def renderer(self) -> Renderer:
        """A browser."""
        return Renderer(self.rules, time_limit=60)

    @property
    def rules(self) -> AddressRules:
        """The sandbox may be asked, nothing else that is private."""
        return AddressRules([self.url.removeprefix("http://")])

    def switch_on(self, *faults: dict[str, Any]) -> None:
        """Let the sandbox's Dify misbehave."""
        asking.put(f"{self.url}/sandbox/dify/faults", json=list(faults)).raise_for_status()

    def shape(self, **workflow: Any) -> None:  # noqa: ANN401
        """Let the sandbox's workflow be another one."""
        asking.put(f"{self.url}/sandbox/dify/workflow", json=workflow).raise_for_status()

    @property
    def bill(self) -> dict[str, Any]:
        """The counters of the sandbox's Dify."""
        counters: dict[str, Any] = asking.get(f"{self.url}/sandbox/dify/stats").json()
        return counters

    async def row(self, variant_id: int) -> Any:  # noqa: ANN401
        """The variant's row."""
        async with self.database.session() as session:
            found = await session.execute(
                text("SELECT * FROM ad_variant WHERE id = :id"), {"id": variant_id}
            )
            return found.one()

    async def _note(self, _done: float, doing: str) -> None:
        self.steps.append(doing)


async def _try(act: Callable[[], Awaitable[_Made]], tries: int) -> _Made:
    for _ in range(tries - 1):
        try:
            return await act()
        except TemporaryError:
            await asyncio.sleep(_PAUSE)
    return await act()


def workshop(database: Database, url: str, folder: Path) -> Workshop:
    """A workshop that keeps its pictures in a folder."""
    return Workshop(database, url, MediaStore(str(folder / "media")))
