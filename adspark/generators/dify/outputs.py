"""What a workflow's outputs hold: the copy and the picture, wherever they are.

Every workflow names and shapes its outputs as its author likes. The named ones are looked at first,
then all others.
"""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from adspark.errors import ConfigurationError, GenerationFailedError
from adspark.generators.answers.ad_copy import Copy, ends_early, read_copy
from adspark.generators.answers.names import is_part, is_picture_name, may_be_copy
from adspark.generators.answers.pictures import list_pictures
from adspark.generators.base import Generated

_FINISH_NAMES = ("finish_reason", "stop_reason", "finishreason", "done_reason")


def find_outputs(
    outputs: Mapping[str, JsonValue],
    files: Sequence[JsonValue] = (),
    *,
    text_output: str,
    picture_output: str,
) -> Generated:
    """The copy and the pictures among a run's outputs; an address may lack its host.

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
    copy = _find_copy(outputs, text_output, picture_output)
    is_cut_off = copy.is_cut_off or any(ends_early(outputs.get(name)) for name in _FINISH_NAMES)
    if copy.text is None and not pictures:
        if is_cut_off:
            raise GenerationFailedError(
                "The workflow's model was cut off before its copy began; give it room for more "
                "tokens in Dify."
            )
        listed = ", ".join(map(repr, outputs)) or "none"
        raise ConfigurationError(
            f"The workflow ended well, but its outputs ({listed}) hold neither copy nor picture. "
            f"Name the right ones as text_output and picture_output of the block "
            f"dify-workflow/adspark."
        )
    first = pictures[0] if pictures else None
    return Generated(copy.text, first, more_pictures=pictures[1:], is_cut_off=is_cut_off)


def _find_copy(outputs: Mapping[str, JsonValue], text_output: str, picture_output: str) -> Copy:
    """The copy of the named output, else of an ad's parts, of another text, of another object."""
    named = read_copy(outputs.get(text_output))
    if named.text is not None:
        return named
    parts = {key: value for key, value in outputs.items() if key != picture_output and is_part(key)}
    if len(parts) > 1 and (together := read_copy(parts)).text is not None:
        return together
    names = [key for key in outputs if key not in (text_output, picture_output)]
    others = [outputs[key] for key in names if may_be_copy(key)]
    others.sort(key=lambda value: not isinstance(value, str))
    found = (read_copy(value, is_named=False) for value in others)
    return next((one for one in found if one.text is not None), named)
