"""The filters of stored ads as options, which every command that finds ads has."""

from typing import Annotated, Any

from typer import Option

from adspark.library.filters.written import WrittenFilters
from adspark.models import EventKind
from adspark.validation.bounds import DAYS
from deployments.cli.option_groups import takes_options
from deployments.cli.options import choice_option
from deployments.cli.ranges import ranged
from deployments.cli.search_options import FormatOption, PlatformOption, RegionOption
from deployments.cli.users.option import user_option

_FILTERS = "Filters"


def _filter(help: str, *names: str, metavar: str | None = None) -> object:  # noqa: A002
    return Option(*names, help=help, metavar=metavar, rich_help_panel=_FILTERS)


UserOption = Annotated[int, user_option(help="Whose tags, titles, notes and boards.")]

_OPTIONS: dict[str, Any] = {
    "advertiser": Annotated[
        list[str] | None, _filter("Name, domain or id; may be given again for another.")
    ],
    "format": FormatOption,
    "platform": PlatformOption,
    "region": RegionOption,
    "domain": Annotated[str | None, _filter("That the ad leads to.")],
    "first_from": Annotated[str | None, _filter("First shown from this day on.", metavar="DAY")],
    "first_to": Annotated[str | None, _filter("First shown until this day.", metavar="DAY")],
    "last_from": Annotated[str | None, _filter("Last shown from this day on.", metavar="DAY")],
    "last_to": Annotated[str | None, _filter("Last shown until this day.", metavar="DAY")],
    "is_running": Annotated[
        bool | None, _filter("Shown in the last 7 days, or not.", "--running/--ended")
    ],
    "least_days": Annotated[
        int | None, ranged(DAYS, metavar="DAYS", help="Shown on so many days, at least.")
    ],
    "size": Annotated[str | None, _filter("In pixels.", metavar="300x250")],
    "aspect": Annotated[str | None, _filter("landscape, portrait, square, or 16:9.")],
    "board": Annotated[str | None, _filter("On this board of the user.")],
    "watch": Annotated[str | None, _filter("Found by this watch: its number or name.")],
    "tag": Annotated[str | None, _filter("With this tag of the user.")],
    "event": Annotated[
        EventKind | None,
        choice_option(
            EventKind, "--event", "Of which a watch noticed this.", rich_help_panel=_FILTERS
        ),
    ],
    "has_words": Annotated[
        bool | None, _filter("Whose words are known, bought or read.", "--words/--no-words")
    ],
    "user": UserOption,
}


takes_filters = takes_options("filters", WrittenFilters, _OPTIONS)
"""Gives a command the options of all filters in place of its parameter `filters`, which gets what
they come to, `WrittenFilters`."""
