"""Arguments and options that several groups of commands share."""

from typing import Annotated

from typer import Argument, Option

from deployments.queue_classes import POOL_NAMES

JsonOption = Annotated[bool, Option("--json", help="One line of JSON.")]
EndsWithJsonOption = Annotated[bool, Option("--json", help="End with one line of JSON.")]
YesOption = Annotated[bool, Option("--yes", "-y", help="Do not ask.")]
PoolArgument = Annotated[str, Argument(help=f"One of {', '.join(POOL_NAMES)}.")]
