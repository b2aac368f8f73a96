"""The paths of pictures in the media store, which are made from what a picture is."""

import re
import uuid
from pathlib import Path

from adspark.media.images import PictureInfo

_THUMBNAIL = re.compile(r"thumbnails/[0-9a-f]{2}/[0-9a-f]{64}\.webp")
_PATH = re.compile(
    r"(originals|variants|pictures|thumbnails)/[0-9a-f]{2}/"
    r"[0-9a-f]{64}\.(png|jpeg|webp|gif|avif|bmp|tiff)"
)
_FOLDER = re.compile(r"((originals|variants|pictures|thumbnails)(/[0-9a-f]{2})?)?")
_HIDDEN_NAME = re.compile(r"\.+(.+?)(\.[0-9a-f]{32})+")  # as `hide` makes it, once or again
_SHOWN_TYPES = ("png", "jpeg", "webp", "gif", "avif", "bmp")  # by browsers


def original_path(key: str) -> str:
    """The path of the original that is rendered from what `key` is the hash of."""
    return f"originals/{key[:2]}/{key}.png"


def variant_path(picture: PictureInfo) -> str:
    """The path of a variant's picture."""
    return f"variants/{picture.sha256[:2]}/{picture.sha256}.{picture.format}"


def picture_path(picture: PictureInfo) -> str:
    """The path of an archived picture."""
    return f"pictures/{picture.sha256[:2]}/{picture.sha256}.{picture.format}"


def thumbnail_path(picture: PictureInfo) -> str:
    """The path of the thumbnail of a picture, an archived one or a variant's."""
    return f"thumbnails/{picture.sha256[:2]}/{picture.sha256}.webp"


def media_type(path: str) -> str | None:
    """The media type of the picture under a path of the media store; None where the path is none,
    or leads to what browsers do not show."""
    found = _PATH.fullmatch(path)
    return f"image/{found[2]}" if found and found[2] in _SHOWN_TYPES else None


def is_thumbnail(path: str) -> bool:
    """Whether this is the path of a thumbnail in the media store."""
    return _THUMBNAIL.fullmatch(path) is not None


def is_path(path: str) -> bool:
    """Whether it is the path of a picture, or of one that is not finished."""
    folder, _, name = path.rpartition("/")
    hidden = _HIDDEN_NAME.fullmatch(name)
    return bool(_PATH.fullmatch(f"{folder}/{hidden[1] if hidden else name}"))


def is_folder(path: str) -> bool:
    """Whether it is the path of a folder that pictures are kept in."""
    return _FOLDER.fullmatch(path) is not None


def hide(path: Path) -> Path:
    """A path beside another that no listing shows."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")
