"""Errors of a field name the option or argument that a person typed, as `--help` shows it."""

from collections.abc import Iterable
from typing import Any

from adspark.errors import InvalidQueryError

# Parameters of commands that give a field of another name.
_OTHER_NAMES = {
    "accepts_closeness": "accept_closeness",
    "ads": "original_ad_ids",
    "original_ad_id": "original_ad_ids",
    "overrule_reason": "overrule",
    "parent_id": "of",
}


def tell_as_typed(error: InvalidQueryError, parameters: Iterable[Any]) -> InvalidQueryError:
    """The error with the option or argument in place of the field; itself where they are called
    the same, or the command has none for the field."""
    field = error.field
    names = {field, field.removesuffix("_id"), _OTHER_NAMES.get(field)}
    found = next((one for one in parameters if one.name in names), None)
    if found is None or (typed := _typed(found)) in (field, f"--{field}"):
        return error
    told = error.beside(typed)
    told.field = found.name  # for programs, as Typer's own errors have it
    return told


def warn_as_typed(warning: str, parameters: Iterable[Any]) -> str:
    """The same of a warning that begins with its field and a colon."""
    field, colon, said = warning.partition(": ")
    return str(tell_as_typed(InvalidQueryError(field, said), parameters)) if colon else warning


def _typed(parameter: Any) -> str:  # noqa: ANN401  (Typer's own)
    is_option = parameter.param_type_name == "option"
    return str(max(parameter.opts, key=len) if is_option else parameter.name)
