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


AdvertiserFilter = Annotated[
    list[str] | None, _filter("Name, domain or id; may be given again for another.")
]
DomainFilter = Annotated[str | None, _filter("That the ad leads to.")]
BoardFilter = Annotated[str | None, _filter("On this board of the user.")]
WatchFilter = Annotated[str | None, _filter("Found by this watch: its number or name.")]
TagFilter = Annotated[str | None, _filter("With this tag of the user.")]
EventFilter = Annotated[
    EventKind | None,
    choice_option(EventKind, "--event", "Of which a watch noticed this.", rich_help_panel=_FILTERS),
]
SizeFilter = Annotated[str | None, _filter("In pixels.", metavar="300x250")]
AspectFilter = Annotated[str | None, _filter("landscape, portrait, square, or 16:9.")]
LeastDays = Annotated[
    int | None, ranged(DAYS, metavar="DAYS", help="Shown on so many days, at least.")
]
RunningFilter = Annotated[
    bool | None, _filter("Shown in the last 7 days, or not.", "--running/--ended")
]
WordsFilter = Annotated[
    bool | None, _filter("Whose words are known, bought or read.", "--words/--no-words")
]
FirstFrom = Annotated[str | None, _filter("First shown from this day on.", metavar="DAY")]
FirstTo = Annotated[str | None, _filter("First shown until this day.", metavar="DAY")]
LastFrom = Annotated[str | None, _filter("Last shown from this day on.", metavar="DAY")]
LastTo = Annotated[str | None, _filter("Last shown until this day.", metavar="DAY")]
UserOption = Annotated[int, user_option(help="Whose tags, titles, notes and boards.")]

_OPTIONS: dict[str, Any] = {
    "advertiser": AdvertiserFilter,
    "format": FormatOption,
    "platform": PlatformOption,
    "region": RegionOption,
    "domain": DomainFilter,
    "first_from": FirstFrom,
    "first_to": FirstTo,
    "last_from": LastFrom,
    "last_to": LastTo,
    "is_running": RunningFilter,
    "least_days": LeastDays,
    "size": SizeFilter,
    "aspect": AspectFilter,
    "board": BoardFilter,
    "watch": WatchFilter,
    "tag": TagFilter,
    "event": EventFilter,
    "has_words": WordsFilter,
    "user": UserOption,
}


takes_filters = takes_options("filters", WrittenFilters, _OPTIONS)
"""Gives a command the options of all filters in place of its parameter `filters`, which gets what
they come to, `WrittenFilters`."""
