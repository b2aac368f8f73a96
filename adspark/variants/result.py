"""What a finished generation comes to: its picture fetched and saved, the whole judged."""

import asyncio
import string
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    GenerationFailedError,
    PostponedError,
    ServiceUnavailableError,
    UnusableContentError,
)
from adspark.generators.answers.addresses import is_data_address, read_data_address
from adspark.generators.base import Generated
from adspark.media.images import inspect_picture
from adspark.media.similarity import (
    Similarity,
    compare_pictures,
    compare_texts,
    hash_grey,
    hash_picture,
)
from adspark.media.store import MediaStore
from adspark.net.downloads import Downloader
from adspark.variants.state import Completion
from adspark.variants.store import OriginalCopy

_PAUSES = (0.0, 1.0, 3.0)  # seconds before each try for a generated picture
_LONGEST_TITLE = 120  # characters
_MARKUP_BEFORE = "#>*_-" + string.whitespace
_MARKUP_BEHIND = "*_" + string.whitespace
_BASE, _COPY, _PICTURE = 0.5, 0.3, 0.2  # of the confidence, as the guide's product gave it


Keep = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True)
class OriginalAd:
    """What a variant is compared with: the picture of the ad, and its words where they are
    known."""

    picture: bytes
    copy: OriginalCopy | None


@dataclass(frozen=True)
class _SavedPicture:
    """A picture in the media store."""

    path: str
    sha256: str
    thumbnail_path: str
    hash: str


async def save_result(
    original: OriginalAd,
    generated: Generated,
    *,
    media: MediaStore,
    downloader: Downloader,
    too_close: float,
    may_wait: bool,
    keep: Keep,
) -> Completion:
    """Fetch and save the picture before its address expires, and judge the whole.

    Args:
        original: the ad that it is to differ from.
        generated: what the generator gave.
        media: where the picture is saved.
        downloader: fetches it.
        too_close: similarity from which a variant is marked as too close, 0 to 1.
        may_wait: whether a picture that is not to be had for the moment may still come.
        keep: called with a picture that was fetched and that the media store does not take.

    Raises:
        GenerationFailedError: neither copy nor a usable picture is there.
        PostponedError: the picture is not to be had for the moment.
        AdSparkError: the media store does not work.
    """
    saved: _SavedPicture | None = None
    problems = ["its copy was cut off by the generator"] if generated.is_cut_off else []
    if generated.picture is None:
        problems.append("it has no picture, for the generator gave none")
    else:
        try:
            saved, missed = await _save_picture(generated, media, downloader, may_wait, keep)
        except UnusableContentError as error:
            if generated.text is None:
                raise GenerationFailedError(
                    f"The generated picture is unusable: {error}"
                ) from error
            problems.append(f"it has no picture: {error}")
        else:
            if missed is not None:
                problems.append(f"its picture may be another than the generated one: {missed}")
    similarity = await _compare(original, generated.text, saved.hash if saved else None)
    highest = similarity.highest
    has_copy = generated.text is not None and not generated.is_cut_off
    return Completion(
        title=find_title(generated.text),
        description=generated.text,
        image_path=saved.path if saved else None,
        image_sha256=saved.sha256 if saved else None,
        thumbnail_path=saved.thumbnail_path if saved else None,
        picture_similarity=similarity.picture,
        text_similarity=similarity.text,
        is_too_close=highest is not None and highest >= too_close,
        confidence_score=round(_BASE + _COPY * has_copy + _PICTURE * bool(saved), 2),
        response_metadata=generated.metadata,
        problem="; ".join(problems) or None,
    )


def find_title(copy: str | None) -> str | None:
    """The first line of the copy, at most 120 characters, without Markdown around it."""
    for line in (copy or "").splitlines():
        if title := line.lstrip(_MARKUP_BEFORE).rstrip(_MARKUP_BEHIND):
            return title[:_LONGEST_TITLE].rstrip()
    return None


async def _save_picture(
    generated: Generated, media: MediaStore, downloader: Downloader, may_wait: bool, keep: Keep
) -> tuple[_SavedPicture, PostponedError | None]:
    """The first address that gives a picture, saved, and why none before it that was away.

    The addresses behind the first may be of other pictures, as of the ad that it was made from:
    while one may still come, none behind it is tried.
    """
    reason: AdSparkError | None = None
    missed: PostponedError | None = None
    for address in filter(None, [generated.picture, *generated.more_pictures]):
        try:
            content = await _fetch_picture(downloader, address)
            try:
                return await _save(content, media), missed
            except (ServiceUnavailableError, ConfigurationError):
                if not is_data_address(address):
                    await keep(content)
                raise
        except PostponedError as error:
            if may_wait:
                raise PostponedError(f"{error} Its picture is fetched again.") from error
            reason, missed = reason or error, missed or error
        except UnusableContentError as error:
            reason = reason or error
    raise UnusableContentError(str(reason or "The generator gave none.")) from reason


async def _save(content: bytes, media: MediaStore) -> _SavedPicture:
    """Save a picture in its normal form, and its thumbnail."""
    path, picture = await media.save_variant(content)
    inspected = await inspect_picture(picture.content)
    thumbnail_path = await media.save_thumbnail(inspected)
    return _SavedPicture(path, picture.info.sha256, thumbnail_path, hash_grey(inspected.grey))


async def _fetch_picture(downloader: Downloader, address: str) -> bytes:
    """The picture's bytes.

    Raises:
        PostponedError: they are not to be had for the moment.
        UnusableContentError: they never are.
    """
    if is_data_address(address):
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
    raise PostponedError(reason)


async def _compare(original: OriginalAd, text: str | None, picture_hash: str | None) -> Similarity:
    picture = None
    if picture_hash is not None:
        picture = compare_pictures(await hash_picture(original.picture), picture_hash)
    words = original.copy.text if original.copy is not None else None
    return Similarity(picture, compare_texts(words, text))
