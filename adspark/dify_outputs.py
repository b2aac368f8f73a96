"""What a workflow's outputs hold: the copy and the address of the picture, wherever they are.

Every workflow names and shapes its outputs as its author likes. The named ones are looked at first,
then all others; pictures are recognized as file objects, as addresses, inside lists and objects,
and as images in Markdown.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from adspark.errors import ConfigurationError
from adspark.service_json import UnreadableJsonError, parse_json

_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]*\]\(\s*<?((?:[^()\s>]|\([^()\s>]*\))+)>?[^)]*\)")
_ADDRESS = re.compile(r"(https?://|/files/)\S+|data:image/[a-z+.-]+;base64,[A-Za-z0-9+/=\s]+")
_PICTURE_KEYS = ("result", "url", "remote_url", "image_url", "image", "picture")
_DEEPEST = 6  # levels of lists and objects


@dataclass(frozen=True)
class Found:
    """What was found; at least one of the two.

    Attributes:
        text: the copy, without images.
        picture: an address, perhaps without its host, or a data: address.
    """

    text: str | None
    picture: str | None


def find_outputs(
    outputs: Mapping[str, JsonValue],
    files: Sequence[JsonValue] = (),
    *,
    text_output: str,
    picture_output: str,
) -> Found:
    """The copy and the picture among a run's outputs.

    Args:
        outputs: by name, as the run gave them.
        files: the files that the run lists beside them.
        text_output: where the copy should be.
        picture_output: where the picture should be.

    Raises:
        ConfigurationError: neither is anywhere.
    """
    named = [outputs[picture_output]] if picture_output in outputs else []
    picture = next(_addresses([*named, *outputs.values(), *files]), None)
    text = _copy(outputs, text_output, picture_output)
    if text is None and picture is None:
        listed = ", ".join(map(repr, outputs)) or "none"
        raise ConfigurationError(
            f"The workflow ended well, but its outputs ({listed}) hold neither copy nor picture. "
            f"Name the right ones as text_output and picture_output of the block dify-workflow."
        )
    return Found(text, picture)


def find_picture(text: str) -> str | None:
    """The first image in a Markdown text."""
    return next(_addresses([text]), None)


def without_pictures(text: str) -> str:
    """A Markdown text without its images."""
    return re.sub(r"\n{3,}", "\n\n", _MARKDOWN_IMAGE.sub("", text)).strip()


def _copy(outputs: Mapping[str, JsonValue], name: str, picture_output: str) -> str | None:
    others = [value for key, value in outputs.items() if key not in (name, picture_output)]
    for value in [outputs.get(name), *others]:
        if isinstance(value, str) and not _ADDRESS.fullmatch(value.strip()):
            text = without_pictures(value)
            if text and not isinstance(_parsed(text), dict | list):
                return text
    return None


def _addresses(values: Sequence[JsonValue], depth: int = 0) -> Iterator[str]:
    """Addresses of pictures, in order of likelihood."""
    if depth > _DEEPEST:
        return
    for value in values:
        if isinstance(value, str):
            yield from _in_text(value, depth)
        elif isinstance(value, list):
            yield from _addresses(value, depth + 1)
        elif isinstance(value, dict) and value.get("type", "image") in ("image", "image_url"):
            first = [value[key] for key in _PICTURE_KEYS if key in value]
            yield from _addresses(first, depth + 1)
            nested = [one for one in value.values() if isinstance(one, dict | list)]
            yield from _addresses(nested, depth + 1)


def _in_text(text: str, depth: int) -> Iterator[str]:
    stripped = text.strip()
    if _ADDRESS.fullmatch(stripped):
        yield stripped
    yield from filter(_ADDRESS.fullmatch, _MARKDOWN_IMAGE.findall(text))
    parsed = _parsed(stripped)
    if isinstance(parsed, dict | list):  # a list that a code node gave as text
        yield from _addresses([parsed], depth + 1)


def _parsed(text: str) -> JsonValue:
    if not text.startswith(("{", "[")):
        return None
    try:
        return parse_json(text.encode(errors="replace"))
    except UnreadableJsonError:
        return None
