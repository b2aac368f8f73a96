"""Obtain one picture, by download or by rendering, validate it in full, and keep it."""

from dataclasses import dataclass

from adspark.archive.hosts import HostPauses
from adspark.archive.store import ClaimedVersion, StoredPicture
from adspark.media.images import InspectedPicture, inspect_picture
from adspark.media.similarity import SIDE, hash_grey
from adspark.media.store import MediaStore, check_size
from adspark.net.downloads import ByteBudget, Downloader
from adspark.rendering.render_target import RenderKind, RenderTarget
from adspark.rendering.renderer import Renderer


@dataclass(frozen=True)
class ArchiveTools:
    """What pictures are archived with; downloader and renderer are open."""

    media: MediaStore
    downloader: Downloader
    renderer: Renderer
    pauses: HostPauses


@dataclass(frozen=True)
class ObtainedPicture:
    """A picture as it came, and what it is."""

    content: bytes
    inspected: InspectedPicture


async def obtain_picture(
    tools: ArchiveTools, claimed: ClaimedVersion, byte_budget: ByteBudget
) -> ObtainedPicture:
    """Download or render a picture and decode it.

    Args:
        tools: open.
        claimed: the picture.
        byte_budget: counts what arrives.

    Raises:
        UnusableContentError: its address is refused, or leads to no usable picture, or to one that
            is too large.
        ServiceUnavailableError: it cannot be had right now.
        ConfigurationError: there is no usable browser, or no decoder.
    """
    await tools.pauses.wait(claimed.source_url)
    if claimed.is_preview:
        target = RenderTarget(RenderKind.PREVIEW, claimed.source_url, claimed.width, claimed.height)
        content = (await tools.renderer.render(target)).content
        byte_budget.take(len(content))
        check_size(content)
    else:
        download = await tools.downloader.fetch(claimed.source_url, byte_budget=byte_budget)
        content = download.content
    inspected = await inspect_picture(content, side=SIDE)
    return ObtainedPicture(content, inspected)


async def keep_picture(media: MediaStore, obtained: ObtainedPicture) -> StoredPicture:
    """Keep a picture and its thumbnail; nothing is written where it is kept already.

    Raises:
        UnusableContentError: it cannot be kept.
        AdSparkError: the media store does not work.
    """
    inspected = obtained.inspected
    path, thumbnail_path = await media.save_archived(obtained.content, inspected)
    return StoredPicture(
        sha256=inspected.info.sha256,
        path=path,
        thumbnail_path=thumbnail_path,
        width=inspected.info.width,
        height=inspected.info.height,
        perceptual_hash=hash_grey(inspected.grey),
        picture_bytes=len(obtained.content),
        thumbnail_bytes=len(inspected.thumbnail),
    )
