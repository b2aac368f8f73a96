"""Arguments and options that several groups of commands share."""

from enum import StrEnum
from typing import Annotated, Any

from typer import Argument, Option

from deployments.queue_classes import POOL_NAMES

JsonOption = Annotated[bool, Option("--json", help="One line of JSON.")]
EndsWithJsonOption = Annotated[bool, Option("--json", help="End with one line of JSON.")]
YesOption = Annotated[bool, Option("--yes", "-y", help="Do not ask.")]
PoolArgument = Annotated[str, Argument(help=f"One of {', '.join(POOL_NAMES)}.")]


def choice_option(kind: type[StrEnum], name: str, help: str, **more: Any) -> Any:  # noqa: A002, ANN401
    """An option that takes one of the members; case does not matter.

    Args:
        kind: of its values.
        name: as it is typed, with its dashes.
        help: a sentence, after which the choices are listed.
        more: of Typer's option.
    """
    listed = ", ".join(one.lower() for one in kind)
    return Option(
        name,
        metavar=name.removeprefix("--").upper(),
        case_sensitive=False,
        help=f"{help.removesuffix('.')}: {listed}.",
        **more,
    )
