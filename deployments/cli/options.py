"""Arguments and options that several groups of commands share."""

from typing import Annotated

from typer import Argument, Option

from adspark.models import CreativeFormat, Platform
from deployments.queue_classes import POOL_NAMES

JsonOption = Annotated[bool, Option("--json", help="One line of JSON.")]
EndsWithJsonOption = Annotated[bool, Option("--json", help="End with one line of JSON.")]
YesOption = Annotated[bool, Option("--yes", "-y", help="Do not ask.")]
PoolArgument = Annotated[str, Argument(help=f"One of {', '.join(POOL_NAMES)}.")]
AdvertiserIds = Annotated[list[str] | None, Argument(help="Advertisers: AR and 20 digits each.")]
TextOption = Annotated[str | None, Option(help="A bare domain such as example.com.")]
RegionOption = Annotated[str | None, Option(help="ISO code, country name or SerpApi code.")]


PlatformOption = Annotated[Platform | None, Option(case_sensitive=False, help="Only this surface.")]
FormatOption = Annotated[
    CreativeFormat | None, Option("--format", case_sensitive=False, help="Only this format.")
]
