"""What a workflow's outputs hold: the copy and the picture, wherever they are.

Every workflow names and shapes its outputs as its author likes. The named ones are looked at first,
then all others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from adspark.errors import ConfigurationError, GenerationFailedError
from adspark.generators.markdown_images import without_images
from adspark.generators.model_text import Copy, ends_early, is_part, may_be_copy, read_copy
from adspark.generators.picture_addresses import list_pictures
from adspark.generators.picture_names import is_picture_name

_FINISH_NAMES = ("finish_reason", "stop_reason", "finishreason", "done_reason")


@dataclass(frozen=True)
class Found:
    """What was found; at least one of the first two.

    Attributes:
        text: the copy, without images.
        picture: an address, perhaps without its host, or a data: address.
        more_pictures: other addresses, should that one give no picture.
        is_cut_off: whether the copy ends in the middle.
    """

    text: str | None
    picture: str | None
    more_pictures: tuple[str, ...] = field(default=(), compare=False)
    is_cut_off: bool = field(default=False, compare=False)


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
        GenerationFailedError: the copy was cut off before it began.
    """
    names = [picture_output] if picture_output in outputs else filter(is_picture_name, outputs)
    named = [outputs[name] for name in names]
    pictures = list_pictures([*outputs.values(), *files], named=named)
    copy = _copy(outputs, text_output, picture_output)
    is_cut_off = copy.is_cut_off or any(ends_early(outputs.get(name)) for name in _FINISH_NAMES)
    if copy.text is None and not pictures and is_cut_off:
        raise GenerationFailedError(
            "The workflow's model was cut off before its copy began; give it room for more tokens "
            "in Dify."
        )
    if copy.text is None and not pictures:
        listed = ", ".join(map(repr, outputs)) or "none"
        raise ConfigurationError(
            f"The workflow ended well, but its outputs ({listed}) hold neither copy nor picture. "
            f"Name the right ones as text_output and picture_output of the block dify-workflow."
        )
    first = pictures[0] if pictures else None
    return Found(copy.text, first, tuple(pictures[1:]), is_cut_off)


def find_picture(text: str) -> str | None:
    """The likeliest picture in a text."""
    return next(iter(list_pictures([text])), None)


def without_pictures(text: str) -> str:
    """A text without its images."""
    return without_images(text)


def _copy(outputs: Mapping[str, JsonValue], name: str, picture_output: str) -> Copy:
    """The copy of the named output, else of an ad's parts, of another text, of another object."""
    named = read_copy(outputs.get(name))
    if named.text is not None:
        return named
    parts = {key: value for key, value in outputs.items() if key != picture_output and is_part(key)}
    if len(parts) > 1 and (together := read_copy(parts)).text is not None:
        return together
    names = [key for key in outputs if key not in (name, picture_output) and may_be_copy(key)]
    others = [outputs[key] for key in names]
    others.sort(key=lambda value: not isinstance(value, str))
    found = (read_copy(value, is_named=False) for value in others)
    return next((one for one in found if one.text is not None), named)
