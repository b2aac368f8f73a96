"""Make a variant: its original rendered and saved, one generation submitted, the result saved.

Every step looks first at what earlier tries have saved, so that the next run resumes what an
interrupted one has left, and nothing is rendered, submitted or paid a second time.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from adspark.db.engine import Database
from adspark.errors import (
    BusyError,
    PausedError,
    PermanentError,
    PostponedError,
    UnknownVariantError,
)
from adspark.generators.answers.addresses import is_data_address, write_data_address
from adspark.generators.base import Generated, GenerationRequest, Generator, RemoteRun
from adspark.media.paths import original_path
from adspark.media.store import MediaStore
from adspark.models import AdVariant, Creative, VariantStatus
from adspark.net.downloads import Downloader
from adspark.rendering.render_target import choose_render_target
from adspark.rules.store import read_in_force
from adspark.tracing import identify, span
from adspark.variants.beginning import build_request, read_original, remote_run_of
from adspark.variants.checking import add_check, find_bound
from adspark.variants.result import save_result
from adspark.variants.state import VariantState, generation_key
from adspark.variants.store import VariantSummary, read_generated, read_variant, summary_of

if TYPE_CHECKING:  # the browser is imported where one is started
    from adspark.rendering.renderer import Renderer

Gate = Callable[[], Awaitable[None]]
Progress = Callable[[float, str], Awaitable[None]]
_ADDRESSES_WORK = 300.0  # seconds, of generated pictures: Dify's FILES_ACCESS_TIMEOUT

OpenGenerator = Callable[[str], AbstractAsyncContextManager[Generator]]


@dataclass(frozen=True)
class GenerationDeps:
    """What variants are made with: `too_close` is a similarity, 0 to 1, from which one is marked,
    `gate` waits for the rate limit, `progress` shows how much is done, 0 to 1, and what."""

    database: Database
    media: MediaStore
    generator: Generator
    downloader: Downloader
    too_close: float
    gate: Gate
    progress: Progress


@asynccontextmanager
async def claim_variant(
    database: Database, variant_id: int, *, flow_run_id: UUID | None, generator: str
) -> AsyncIterator[AdVariant]:
    """Claim a variant; whatever the block raises becomes its end.

    A cancellation is left to whoever cancels; the row then stays as it is, for the next to resume.

    Args:
        database: where it is.
        variant_id: which one.
        flow_run_id: the flow run that claims it.
        generator: the name of the one to be used.

    Raises:
        BusyError: another run works on it.
        PausedError: its batch is paused, and nothing of it was submitted.
        UnknownVariantError: there is none, or it has failed or was cancelled before.
    """
    async with database.lock(f"variant:{variant_id}") as is_mine:
        if not is_mine:
            raise BusyError(f"Another run works on variant {variant_id}.")
        variant = await _read(database, variant_id)
        check_open(variant)
        if variant.status != VariantStatus.COMPLETED:
            async with database.transaction() as session:
                await VariantState(session, variant).claim(
                    flow_run_id=flow_run_id, generator=generator
                )
            variant = await _read(database, variant_id)
        try:
            yield variant
        except Exception as error:
            async with database.transaction() as session:
                if isinstance(error, PostponedError | PausedError):
                    await VariantState(session, variant).postpone(str(error))
                else:
                    await VariantState(session, variant).fail(error)
            raise


def check_open(variant: AdVariant) -> None:
    """Raise UnknownVariantError for one that failed or was cancelled: a person retries that."""
    if variant.status in (VariantStatus.FAILED, VariantStatus.CANCELLED):
        cause = f" ({variant.error})" if variant.error else ""
        raise UnknownVariantError(
            f"Variant {variant.id} is {variant.status}{cause}.",
            command=f"to try again: adspark variant retry {variant.id}",
        )


async def ensure_original(
    database: Database, media: MediaStore, renderer: "Renderer", *, variant_id: int
) -> str:
    """Render the variant's original, unless that very picture is saved already.

    Once its generation is submitted, the original is the picture that was submitted, whatever the
    ad shows by now.

    Args:
        database: where the variant is.
        media: where the picture is saved.
        renderer: open.
        variant_id: a claimed one.

    Returns:
        The picture's path in the media store.

    Raises:
        UnknownVariantError: it was cancelled meanwhile.
        UnusableContentError: the creative cannot be shown.
        AdSparkError: the network, the browser or the store does not work.
    """
    variant = await _read(database, variant_id)
    check_open(variant)
    if variant.asked_at and variant.original_path and await media.reuse(variant.original_path):
        return variant.original_path
    async with database.session() as session:
        creative = await session.get_one(Creative, variant.original_ad_id)
    target = choose_render_target(creative)
    key = renderer.key(target)
    path = original_path(key)
    if not await media.reuse(path):
        with identify(variant=variant_id), span("render"):
            rendering = await renderer.render(target)
        await media.save_original(key, rendering)
    sha256 = hashlib.sha256(await media.read(path)).hexdigest()
    async with database.transaction() as session:
        await VariantState(session, variant).save_original(
            path=path, sha256=sha256, version=creative.content_hash
        )
    return path


async def generate(deps: GenerationDeps, *, variant_id: int) -> VariantSummary:
    """Generate the variant whose original is saved, once an attempt, and save the result.

    Raises:
        GenerationFailedError: the generator failed, or gave nothing usable.
        PausedError: its batch was paused before the generation was submitted.
        PostponedError: whether a generation was begun will be known later, or the host of its
            picture is away.
        UnknownVariantError: it was cancelled meanwhile.
        AdSparkError: the generator, the store or the database does not work.
    """
    variant = await _read(deps.database, variant_id)
    if variant.status == VariantStatus.COMPLETED:
        return summary_of(variant)
    check_open(variant)
    original = await read_original(deps.database, deps.media, variant)
    async with deps.database.session() as session:
        rules = await read_in_force(session, user_id=variant.user_id)
    request = await build_request(deps.database, deps.media, variant, original, rules)
    if request.submitted_at is None:
        await deps.database.check_server()
        await deps.media.check_writable()
        await deps.generator.check(request.prompt)
    generated, age = await _generate(deps, variant, request)

    async def keep(picture: bytes) -> None:
        """In the row, for its address expires before there is room for it in the media store."""
        kept = replace(generated, picture=write_data_address(picture), more_pictures=[])
        async with deps.database.transaction() as session:
            await VariantState(session, variant).save_generated(asdict(kept))

    with identify(variant=variant_id), span("store"):
        completion = await save_result(
            original,
            generated,
            media=deps.media,
            downloader=deps.downloader,
            too_close=find_bound(rules, deps.too_close),
            may_wait=age < _ADDRESSES_WORK,
            keep=keep,
        )
        completion = await add_check(rules, completion, media=deps.media)
        async with deps.database.transaction() as session:
            await VariantState(session, variant).complete(completion)
    finished = await _read(deps.database, variant_id)
    check_open(finished)
    if finished.status != VariantStatus.COMPLETED:
        raise BusyError(f"Variant {variant_id} was given to another run meanwhile.")
    return summary_of(finished)


async def cancel(
    database: Database,
    open_generator: OpenGenerator,
    *,
    variant_id: int,
    of_run: UUID | None = None,
) -> bool:
    """End a variant that nobody wants any more, and its generation.

    Args:
        database: where it is.
        open_generator: opens the generator of a name, where a generation has to be stopped.
        variant_id: which one.
        of_run: the run because of whose cancellation; one that is another's by now stays open.

    Returns:
        Whether it was open.

    Raises:
        UnknownVariantError: there is none.
        AdSparkError: it is cancelled, but its generation could not be stopped.
    """
    variant = await _read(database, variant_id)
    async with database.transaction() as session:
        was_open = await VariantState(session, variant).cancel(of_run=of_run)
    if was_open:
        await stop_generation(database, open_generator, variant_id=variant_id)
    return was_open


async def stop_generation(
    database: Database, open_generator: OpenGenerator, *, variant_id: int
) -> None:
    """Stop the generation of a variant that was cancelled, where it was submitted.

    Args:
        database: where it is.
        open_generator: opens the generator of a name.
        variant_id: which one.

    Raises:
        AdSparkError: it could not be stopped.
    """
    variant = await _read(database, variant_id)
    if variant.asked_at is not None and variant.generator is not None:
        async with open_generator(variant.generator) as generator:
            await generator.cancel(remote_run_of(variant), key=generation_key(variant))


class _Observer:
    """Saves in the variant's row how far its generation is."""

    def __init__(self, deps: GenerationDeps, variant: AdVariant) -> None:
        self._deps = deps
        self._variant = variant
        self._submitted_at: datetime | None = None

    async def on_submit(self) -> datetime:
        await self._deps.gate()
        async with self._deps.database.transaction() as session:
            self._submitted_at = await VariantState(session, self._variant).submit()
        return self._submitted_at

    async def on_refused(self) -> None:
        async with self._deps.database.transaction() as session:
            await VariantState(session, self._variant).refuse(submitted_at=self._submitted_at)

    async def on_accepted(self, remote_run: RemoteRun) -> None:
        async with self._deps.database.transaction() as session:
            await VariantState(session, self._variant).accept(remote_run)
        now = await _read(self._deps.database, self._variant.id)
        if now.status == VariantStatus.CANCELLED:  # between the submission and this answer
            key = generation_key(self._variant)
            await self._deps.generator.cancel(remote_run, key=key)
            check_open(now)

    async def on_progress(self, done: float, doing: str) -> None:
        await self._deps.progress(done, doing)


async def _generate(
    deps: GenerationDeps, variant: AdVariant, request: GenerationRequest
) -> tuple[Generated, float]:
    """What the generation gives, saved at once, and the seconds since it was first saved.

    While its picture's address works, the picture itself is kept, or nothing more is to be had, it
    is what an earlier try has saved.
    """
    async with deps.database.session() as session:
        saved = await read_generated(session, variant_id=variant.id)
    if saved is not None:
        generated, age = saved
        if age < _ADDRESSES_WORK or is_data_address(generated.picture or ""):
            return saved
    try:
        with identify(variant=variant.id), span("generate"):
            generated = await deps.generator.generate(request, _Observer(deps, variant))
    except (PermanentError, PostponedError):
        if saved is None:
            raise
        return saved
    async with deps.database.transaction() as session:
        await VariantState(session, variant).save_generated(asdict(generated))
    return generated, 0.0 if saved is None else saved[1]


async def _read(database: Database, variant_id: int) -> AdVariant:
    async with database.session() as session:
        return await read_variant(session, variant_id=variant_id)
