"""The pictures of a message: thumbnails in the media store, which its Markdown names by their path.

No text from outside can name one: it is escaped, and only a thumbnail's path is read as a picture.
"""

import asyncio
import base64
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from adspark.errors import AdSparkError, UnusableContentError
from adspark.media.paths import is_thumbnail
from adspark.media.store import MediaStore

MOST_PICTURES = 40
"""Of a message, the first; each thumbnail has about 10 kB."""

_MOST_BYTES = 100_000  # of one
_AT_ONCE = 8
_PICTURE = re.compile(r"!\[(\w+)\]\((thumbnails/[^)]+)\)")


def write_picture(ad_creative_id: str, thumbnail: str | None) -> str:
    """A creative's thumbnail in Markdown, its path instead of an address, and a blank after it;
    empty where there is none."""
    return f"![{ad_creative_id}]({thumbnail}) " if thumbnail else ""


def find_pictures(markdown: str) -> list[str]:
    """The paths of the pictures in a Markdown text, each once, at most `MOST_PICTURES`."""
    found = dict.fromkeys(path for _, path in _PICTURE.findall(markdown) if is_thumbnail(path))
    return list(found)[:MOST_PICTURES]


async def read_pictures(
    media_url: str, paths: Collection[str], *, on_problem: Callable[[AdSparkError], object]
) -> dict[str, bytes]:
    """The pictures by their paths; one that is gone, or too large, is left out.

    Args:
        media_url: of the media store.
        paths: of thumbnails.
        on_problem: called where the store cannot be used; then all are left out.
    """
    if not paths:
        return {}
    try:
        return await _read_all(MediaStore(media_url), paths)
    except AdSparkError as error:
        on_problem(error)
        return {}


async def _read_all(media: MediaStore, paths: Iterable[str]) -> dict[str, bytes]:
    slots = asyncio.Semaphore(_AT_ONCE)
    found: dict[str, bytes] = {}

    async def read(path: str) -> None:
        async with slots:
            with suppress(UnusableContentError):
                content = await media.read(path)
                if len(content) <= _MOST_BYTES:
                    found[path] = content

    await asyncio.gather(*(read(path) for path in paths))
    return found


def embed_pictures(markdown: str, pictures: Mapping[str, bytes]) -> str:
    """The text with its pictures inside, for a page; those that are not at hand are left out."""

    def embed(found: re.Match[str]) -> str:
        content = pictures.get(found[2])
        if content is None:
            return ""
        return f"![{found[1]}](data:image/webp;base64,{base64.b64encode(content).decode()})"

    return _PICTURE.sub(embed, markdown)
