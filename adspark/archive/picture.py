"""Obtain one picture, by download or by rendering, validate it in full, and keep it."""

from dataclasses import dataclass

from adspark.archive.hosts import HostPauses
from adspark.archive.store import ClaimedVersion
from adspark.media.images import InspectedPicture, inspect_picture
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
        content = await tools.renderer.render(target)
        byte_budget.take(len(content))
        check_size(content)
    else:
        download = await tools.downloader.fetch(claimed.source_url, byte_budget=byte_budget)
        content = download.content
    return ObtainedPicture(content, await inspect_picture(content))
