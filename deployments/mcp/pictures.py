"""Pictures of the media store for assistants: whole where they are small, else the thumbnail."""

from collections.abc import Iterable

from adspark.errors import ConfigurationError, ServiceUnavailableError, UnusableContentError
from adspark.media.paths import media_type
from adspark.media.store import MediaStore
from deployments.mcp.answers import Picture

_MOST_BYTES = 700_000  # a third more in the answer; assistants take about a megabyte
_KINDS = ("image/png", "image/jpeg", "image/webp", "image/gif")  # that assistants see


async def read_picture(media: MediaStore, paths: Iterable[str | None]) -> Picture | None:
    """The first of these that can be shown; None where none can, or the store is away."""
    for path in paths:
        kind = media_type(path) if path else None
        if path is None or kind not in _KINDS:
            continue
        try:
            content = await media.read(path)
        except (UnusableContentError, ServiceUnavailableError, ConfigurationError):
            continue
        if len(content) <= _MOST_BYTES:
            return Picture(content, kind)
    return None
