"""Arguments and options of a search at SerpApi, or among what is stored of it."""

from typing import Annotated

from typer import Argument, Option

from adspark.models import CreativeFormat, Platform

AdvertiserIds = Annotated[list[str] | None, Argument(help="Advertisers: AR and 20 digits each.")]
TextOption = Annotated[str | None, Option(help="A bare domain such as example.com.")]
RegionOption = Annotated[str | None, Option(help="ISO code, country name or SerpApi code.")]


PlatformOption = Annotated[Platform | None, Option(case_sensitive=False, help="Only this surface.")]
FormatOption = Annotated[
    CreativeFormat | None, Option("--format", case_sensitive=False, help="Only this format.")
]
