"""Types of flow parameters: what Prefect's form shows, and what a flow takes.

Left to itself, the form of an optional parameter asks for a type before it shows a field. These
types show the field at once; what they take is wider than what the form sends, so that
`prefect deployment run -p` may give one advertiser without a list and a region as a number. The
deployments leave checking to the flow (`enforce_parameter_schema: false`), which names the field.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from adspark.errors import UnknownVariantError, UnknownWatchError
from adspark.library.filters.parsing import Day
from adspark.models import CreativeFormat, Platform
from adspark.validation.bounds import ID, TEXT
from adspark.watches.definition import CLEARABLE


def label(title: str) -> Any:  # noqa: ANN401  (a field's annotation, of which pydantic has no type)
    """What the form calls a parameter; Prefect itself would take the parameter's name."""
    return Field(json_schema_extra={"title": title})


@contextmanager
def names_parameter(name: str) -> Iterator[None]:
    """Let the error of a watch or a variant that there is not begin with the parameter's name."""
    try:
        yield
    except (UnknownVariantError, UnknownWatchError) as error:
        raise type(error)(f"{name}: {error.sentence}", command=error.command) from error


Names = Annotated[
    list[str] | str | None, WithJsonSchema({"type": "array", "items": {"type": "string"}})
]
AdvertiserIds = Annotated[Names, label("Advertiser ids")]
AdIds = Annotated[Names, label("Ads")]
OptionalText = Annotated[str | None, TEXT, label("Domain")]
OptionalRegion = Annotated[
    str | int | None, WithJsonSchema({"type": "string", "maxLength": TEXT.most}), label("Region")
]
OptionalDay = Annotated[Day | None, WithJsonSchema({"type": "string", "format": "date"})]
OptionalId = Annotated[int | None, ID]
# Not a boolean field, which sends "no" when nobody touched it.
OptionalFlag = Annotated[bool | None, WithJsonSchema({"type": "string", "enum": ["yes", "no"]})]
OptionalPlatform = Annotated[
    Platform | None, WithJsonSchema({"type": "string", "enum": list(Platform)}), label("Platform")
]
OptionalFormat = Annotated[
    CreativeFormat | None,
    WithJsonSchema({"type": "string", "enum": list(CreativeFormat)}),
    label("Format"),
]
WatchFieldsToClear = Annotated[
    list[str] | str | None,
    WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(CLEARABLE)}}),
    label("Fields to empty"),
]
DryRun = Annotated[bool, label("Dry run")]
UserId = Annotated[int, ID, label("User id")]
WatchId = Annotated[int, ID, label("Watch id")]
