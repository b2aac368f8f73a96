"""Arguments and options of a search at SerpApi, or among what is stored of it."""

from typing import Annotated, TypeVar

from typer import Argument, CallbackParam, Context, Option

from adspark.errors import InvalidQueryError
from adspark.models import CreativeFormat, Platform
from adspark.validation.names import clean_name
from adspark.watches.definition import CLEARABLE
from deployments.cli.options import choice_option

_Given = TypeVar("_Given", bound=str | list[str] | None)


def refuse_empty(context: Context, parameter: CallbackParam, given: _Given) -> _Given:
    """What was given to an option or argument, where it holds something.

    Args:
        context: of the command, which may have an option `--clear`.
        parameter: the option or argument.
        given: None: it was left out.

    Raises:
        InvalidQueryError: it is empty, or one of its texts is; a command passes nothing over.
    """
    if given is None or all(map(clean_name, [given] if isinstance(given, str) else given)):
        return given
    name = str(parameter.name)
    clears = name in CLEARABLE and any(one.name == "clear" for one in context.command.params)
    command = f"or empty it with: --clear {name}" if clears else None
    raise InvalidQueryError(name, "is empty; write it or leave it out", command=command)


AdvertiserIds = Annotated[
    list[str] | None,
    Argument(callback=refuse_empty, help="Advertisers: AR and 20 digits each."),
]
TextOption = Annotated[
    str | None, Option(callback=refuse_empty, help="A bare domain such as example.com.")
]
RegionOption = Annotated[
    str | None, Option(callback=refuse_empty, help="ISO code, country name or SerpApi code.")
]
PlatformOption = Annotated[
    Platform | None, choice_option(Platform, "--platform", "Only this surface.")
]
FormatOption = Annotated[
    CreativeFormat | None, choice_option(CreativeFormat, "--format", "Only this format.")
]
