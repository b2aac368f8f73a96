"""Make a variant: original rendered and kept, generation asked for once, result kept at once.

Every step looks first at what earlier tries have kept, so that a run that died anywhere is gone on
with by the next one, and nothing is rendered, asked for or paid a second time.
"""

import asyncio
import hashlib
import string
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from adspark.db.engine import Database
from adspark.errors import (
    BusyError,
    GenerationFailedError,
    PermanentError,
    PostponedError,
    ServiceUnavailableError,
    UnknownVariantError,
    UnusableContentError,
)
from adspark.generators.base import Generated, GenerationRequest, Generator, Picture, RemoteRun
from adspark.generators.picture_addresses import read_data_address
from adspark.media.images import NormalPicture
from adspark.media.similarity import Similarity, compare_pictures, compare_texts, hash_picture
from adspark.media.store import MediaStore, original_path
from adspark.models import AdVariant, Creative, VariantStatus
from adspark.net.addresses import find_public_address
from adspark.net.downloads import Downloader
from adspark.rendering.render_target import choose_render_target
from adspark.rendering.renderer import Renderer
from adspark.variants import store as variants
from adspark.variants.store import Completion, VariantSummary

_PAUSES = (0.0, 1.0, 3.0)  # seconds before each try for a generated picture
_LONGEST_TITLE = 120  # characters
_MARKUP_BEFORE = "#>*_-" + string.whitespace
_MARKUP_BEHIND = "*_" + string.whitespace
_BASE, _COPY, _PICTURE = 0.5, 0.3, 0.2  # of the confidence, as the guide's product gave it

Gate = Callable[[], Awaitable[None]]
Progress = Callable[[float, str], Awaitable[None]]


@dataclass(frozen=True)
class GenerationDeps:
    """What variants are made with.

    Attributes:
        too_close: similarity from which a variant is marked as too close to its original.
        gate: what waits until another generation fits within the rate limit.
        progress: told how far a generation is, 0 to 1, and what is being done.
    """

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

    A cancellation is left to whoever cancels; the row then stays as it is, for the next to go on.

    Raises:
        BusyError: another run works on it.
        UnknownVariantError: there is none, or it has failed or was cancelled before.
    """
    async with database.lock(f"variant:{variant_id}") as is_mine:
        if not is_mine:
            raise BusyError(f"Another run works on variant {variant_id}.")
        variant = await _read(database, variant_id)
        check_open(variant)
        if variant.status != VariantStatus.COMPLETED:
            async with database.session() as session:
                await variants.save_begin(
                    session, variant=variant, flow_run_id=flow_run_id, generator=generator
                )
                await session.commit()
            variant = await _read(database, variant_id)
        try:
            yield variant
        except Exception as error:
            await _save_end(database, variant, error)
            raise


def check_open(variant: AdVariant) -> None:
    """Refuse one that has ended without a result; only a person decides to try that again.

    Raises:
        UnknownVariantError: it failed or was cancelled.
    """
    if variant.status in (VariantStatus.FAILED, VariantStatus.CANCELLED):
        cause = f" ({variant.error})" if variant.error else ""
        raise UnknownVariantError(
            f"Variant {variant.id} is {variant.status}{cause}. To try again: "
            f"adspark variant retry {variant.id}"
        )


async def keep_original(
    database: Database, media: MediaStore, renderer: Renderer, *, variant_id: int
) -> str:
    """Render the variant's original, unless that very picture is kept already.

    Returns:
        The picture's path in the media store.

    Raises:
        UnusableContentError: the creative cannot be shown.
        AdSparkError: the network, the browser or the store does not work.
    """
    variant = await _read(database, variant_id)
    async with database.session() as session:
        creative = await session.get_one(Creative, variant.original_ad_id)
    target = choose_render_target(creative)
    key = renderer.key(target)
    path = original_path(key)
    if not await media.reuse(path):
        rendering = await renderer.render(target)
        await media.save_original(key, rendering.content)
    content = await media.read(path)
    async with database.session() as session:
        await variants.save_original(
            session, variant=variant, path=path, sha256=hashlib.sha256(content).hexdigest()
        )
        await session.commit()
    return path


async def generate(studio: GenerationDeps, *, variant_id: int) -> VariantSummary:
    """Generate the variant whose original is kept, and keep what comes; once for each attempt.

    Raises:
        GenerationFailedError: the generator failed, or gave nothing usable.
        PostponedError: whether it was begun will be known later.
        UnknownVariantError: it was cancelled meanwhile.
        AdSparkError: the generator, the store or the database does not work.
    """
    variant = await _read(studio.database, variant_id)
    if variant.status == VariantStatus.COMPLETED:
        return variants.summary_of(variant)
    check_open(variant)
    assignment = await _assignment(studio, variant)
    if variant.asked_at is None:
        await studio.generator.check(variant.prompt)
    generated = await _ask(studio, variant, assignment)
    completion = await _keep(studio, assignment, generated)
    async with studio.database.session() as session:
        await variants.save_completed(session, variant=variant, completion=completion)
        await session.commit()
    finished = await _read(studio.database, variant_id)
    check_open(finished)
    if finished.status != VariantStatus.COMPLETED:
        raise BusyError(f"Variant {variant_id} was given to another run meanwhile.")
    return variants.summary_of(finished)


async def _ask(
    studio: GenerationDeps, variant: AdVariant, assignment: GenerationRequest
) -> Generated:
    """What the generation gives, kept at once.

    Where the service does not give it a second time, what an earlier try has kept counts.
    """
    kept = variant.generated
    try:
        generated = await studio.generator.generate(assignment, _Diary(studio, variant))
    except PermanentError:
        if kept is None:
            raise
        return Generated(**kept)
    async with studio.database.session() as session:
        await variants.save_generated(session, variant=variant, generated=asdict(generated))
        await session.commit()
    return generated


async def cancel(
    database: Database, open_generator: Callable[[str], Awaitable[Generator]], *, variant_id: int
) -> bool:
    """End a variant that nobody wants any more, and its generation.

    Args:
        open_generator: gives the generator of a name; only called where something is under way.

    Returns:
        Whether it was open.

    Raises:
        UnknownVariantError: there is none.
        AdSparkError: it is cancelled, but its generation could not be stopped.
    """
    variant = await _read(database, variant_id)
    async with database.session() as session:
        was_open = await variants.save_cancelled(session, variant=variant)
        await session.commit()
    variant = await _read(database, variant_id)
    if was_open and variant.asked_at is not None and variant.generator is not None:
        generator = await open_generator(variant.generator)
        await generator.cancel(_receipt(variant), key=variants.generation_key(variant))
    return was_open


class _Diary:
    """Keeps in the variant's row how far its generation is."""

    def __init__(self, studio: GenerationDeps, variant: AdVariant) -> None:
        self._studio = studio
        self._variant = variant
        self._asked_at: datetime | None = None

    async def asking(self) -> None:
        await self._studio.gate()
        async with self._studio.database.session() as session:
            self._asked_at = await variants.save_asking(session, variant=self._variant)
            await session.commit()

    async def not_begun(self) -> None:
        async with self._studio.database.session() as session:
            await variants.save_not_begun(session, variant=self._variant, asked_at=self._asked_at)
            await session.commit()

    async def accepted(self, receipt: RemoteRun) -> None:
        async with self._studio.database.session() as session:
            await variants.save_receipt(session, variant=self._variant, receipt=receipt)
            await session.commit()
        now = await _read(self._studio.database, self._variant.id)
        if now.status == VariantStatus.CANCELLED:  # between the question and this answer
            key = variants.generation_key(self._variant)
            await self._studio.generator.cancel(receipt, key=key)
            check_open(now)

    async def progress(self, done: float, doing: str) -> None:
        await self._studio.progress(done, doing)


async def _read(database: Database, variant_id: int) -> AdVariant:
    async with database.session() as session:
        return await variants.read_variant(session, variant_id=variant_id)


async def _save_end(database: Database, variant: AdVariant, error: Exception) -> None:
    async with database.session() as session:
        if isinstance(error, PostponedError):
            await variants.save_postponed(session, variant=variant, reason=str(error))
        else:
            await variants.save_failed(session, variant=variant, error=error)
        await session.commit()


async def _assignment(studio: GenerationDeps, variant: AdVariant) -> GenerationRequest:
    if variant.original_path is None:
        raise UnusableContentError(f"The original of variant {variant.id} is not rendered yet.")
    async with studio.database.session() as session:
        copy = await variants.read_original_copy(session, ad_creative_id=variant.original_ad_id)
        creative = await session.get_one(Creative, variant.original_ad_id)
    content = await studio.media.read(variant.original_path)
    return GenerationRequest(
        key=variants.generation_key(variant),
        prompt=variant.prompt,
        original=Picture(
            content,
            "image/png",
            f"{variant.original_ad_id}.png",
            await find_public_address(creative.image_url),
        ),
        original_copy=copy,
        asked_at=variant.asked_at,
        receipt=_receipt(variant),
    )


def _receipt(variant: AdVariant) -> RemoteRun | None:
    if variant.receipt_run_id is None:
        return None
    return RemoteRun(variant.receipt_run_id, variant.receipt_task_id)


async def _keep(
    studio: GenerationDeps, assignment: GenerationRequest, generated: Generated
) -> Completion:
    """Fetch and keep the picture before its address expires, and judge the whole."""
    path = sha256 = picture_hash = None
    problems = ["its copy was cut off by the generator"] if generated.is_cut_off else []
    if generated.picture is None:
        problems.append("it has no picture, for the generator gave none")
    else:
        try:
            path, picture = await _keep_picture(studio, generated)
            sha256 = picture.info.sha256
            picture_hash = await hash_picture(picture.content)
        except UnusableContentError as error:
            if generated.text is None:
                raise GenerationFailedError(
                    f"The generated picture is unusable: {error}"
                ) from error
            problems.append(f"it has no picture: {error}")
    similarity = await _similarity(assignment, generated.text, picture_hash)
    highest = similarity.highest
    has_copy = generated.text is not None and not generated.is_cut_off
    return Completion(
        title=_title(generated.text),
        description=generated.text,
        image_path=path,
        image_sha256=sha256,
        picture_similarity=similarity.picture,
        text_similarity=similarity.text,
        is_too_close=highest is not None and highest >= studio.too_close,
        confidence_score=round(_BASE + _COPY * has_copy + _PICTURE * bool(path), 2),
        response_metadata=generated.metadata,
        problem="; ".join(problems) or None,
    )


async def _keep_picture(studio: GenerationDeps, generated: Generated) -> tuple[str, NormalPicture]:
    """The first address that gives a picture, which is kept: its path, and its normal form.

    Raises:
        UnusableContentError: none does; says why the likeliest does not.
    """
    reason: UnusableContentError | None = None
    for address in filter(None, [generated.picture, *generated.more_pictures]):
        try:
            content = await _fetch_picture(studio.downloader, address)
            return await studio.media.save_variant(content)
        except UnusableContentError as error:
            reason = reason or error
    raise reason or UnusableContentError("The generator gave none.")


async def _fetch_picture(downloader: Downloader, address: str) -> bytes:
    """The picture's bytes.

    Raises:
        UnusableContentError: they are not to be had.
    """
    if address[:5].lower() == "data:":
        try:
            return read_data_address(address)
        except ValueError as error:
            raise UnusableContentError("its data: address is garbled.") from error
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        try:
            return (await downloader.fetch(address)).content
        except ServiceUnavailableError as error:
            reason = str(error)
    raise UnusableContentError(reason)


async def _similarity(
    assignment: GenerationRequest, text: str | None, picture_hash: str | None
) -> Similarity:
    picture = None
    if picture_hash is not None:
        original = await hash_picture(assignment.original.content)
        picture = compare_pictures(original, picture_hash)
    return Similarity(picture, compare_texts(assignment.original_copy, text))


def _title(text: str | None) -> str | None:
    """The first line of the copy, without Markdown around it."""
    for line in (text or "").splitlines():
        if title := line.lstrip(_MARKUP_BEFORE).rstrip(_MARKUP_BEHIND):
            return title[:_LONGEST_TITLE].rstrip()
    return None
