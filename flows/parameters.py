"""Types of flow parameters: what Prefect's form shows, and what a flow takes.

Left to itself, the form of an optional parameter asks for a type before it shows a field. These
types show the field at once; what they take is wider than what the form sends, so that
`prefect deployment run -p` may give one advertiser without a list and a region as a number. The
deployments leave checking to the flow (`enforce_parameter_schema: false`), which names the field.
"""

from datetime import date
from typing import Annotated

from pydantic import WithJsonSchema

from adspark.models import CreativeFormat, Platform
from adspark.validation.bounds import ID, TEXT
from adspark.watches.definition import CLEARABLE

AdvertiserIds = Annotated[
    list[str] | str | None, WithJsonSchema({"type": "array", "items": {"type": "string"}})
]
OptionalText = Annotated[str | None, TEXT]
OptionalRegion = Annotated[
    str | int | None, WithJsonSchema({"type": "string", "maxLength": TEXT.most})
]
OptionalDay = Annotated[date | None, WithJsonSchema({"type": "string", "format": "date"})]
OptionalId = Annotated[int | None, ID]
# Not a boolean field, which sends "no" when nobody touched it.
OptionalFlag = Annotated[bool | None, WithJsonSchema({"type": "string", "enum": ["yes", "no"]})]
OptionalPlatform = Annotated[
    Platform | None, WithJsonSchema({"type": "string", "enum": list(Platform)})
]
OptionalFormat = Annotated[
    CreativeFormat | None, WithJsonSchema({"type": "string", "enum": list(CreativeFormat)})
]
WatchFieldsToClear = Annotated[
    list[str] | str | None,
    WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(CLEARABLE)}}),
]
