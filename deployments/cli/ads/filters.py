"""The filters of `adspark ads search` as options, and the value that they come to."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy.ext.asyncio import AsyncSession
from typer import Option

from adspark.creatives.boards import find_board
from adspark.library.advertisers import resolve_advertisers
from adspark.library.filters import (
    AdFilters,
    parse_aspect,
    parse_day,
    parse_domain,
    parse_size,
)
from adspark.library.marks import check_tag
from adspark.models import CreativeFormat, EventKind, Platform
from adspark.serpapi.regions import region_code
from adspark.validation.bounds import DAYS
from adspark.validation.stored import check_storable
from adspark.watches.store import find_watch
from deployments.cli.ranges import ranged

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
EventFilter = Annotated[EventKind | None, _filter("Of which a watch noticed this.")]
SizeFilter = Annotated[str | None, _filter("In pixels.", metavar="300x250")]
AspectFilter = Annotated[str | None, _filter("landscape, portrait, square, or 16:9.")]
LeastDays = Annotated[
    int | None, ranged(DAYS, metavar="DAYS", help="Shown for so many days, at least.")
]
RunningFilter = Annotated[
    bool | None, _filter("Shown in the last 7 days, or not.", "--running/--ended")
]
WordsFilter = Annotated[
    bool | None, _filter("Whose copy is known, or is not.", "--words/--no-words")
]
FirstFrom = Annotated[str | None, _filter("First shown from this day on.", metavar="DAY")]
FirstTo = Annotated[str | None, _filter("First shown until this day.", metavar="DAY")]
LastFrom = Annotated[str | None, _filter("Last shown from this day on.", metavar="DAY")]
LastTo = Annotated[str | None, _filter("Last shown until this day.", metavar="DAY")]


@dataclass(frozen=True)
class WrittenFilters:
    """The filters as they are typed."""

    user: int
    advertiser: list[str] | None
    format: CreativeFormat | None
    platform: Platform | None
    region: str | None
    domain: str | None
    first_from: str | None
    first_to: str | None
    last_from: str | None
    last_to: str | None
    is_running: bool | None
    least_days: int | None
    size: str | None
    aspect: str | None
    board: str | None
    watch: str | None
    tag: str | None
    event: EventKind | None
    has_words: bool | None

    async def resolve(self, session: AsyncSession) -> AdFilters:
        """The filters with the ids of what they name.

        Raises:
            ConfigurationError: one cannot be read, or names what there is not; says which.
        """
        values = self._parse()
        if self.advertiser:
            found = await resolve_advertisers(session, names=self.advertiser)
            values = values.model_copy(update={"advertiser_ids": tuple(found)})
        if self.board is not None:
            board = await find_board(session, user_id=self.user, name=self.board)
            values = values.model_copy(update={"board_id": board.id})
        if self.watch is not None:
            check_storable("watch", self.watch)
            watch = await find_watch(session, name_or_id=self.watch)
            values = values.model_copy(update={"watch_id": watch.id})
        return values

    def _parse(self) -> AdFilters:
        """What needs no database."""
        return AdFilters(
            user_id=self.user,
            format=self.format,
            platform=self.platform,
            region=None if self.region is None else region_code(self.region),
            domain=parse_domain(self.domain),
            first_shown_from=parse_day("first-from", self.first_from),
            first_shown_to=parse_day("first-to", self.first_to),
            last_shown_from=parse_day("last-from", self.last_from),
            last_shown_to=parse_day("last-to", self.last_to),
            is_running=self.is_running,
            least_days=self.least_days,
            size=parse_size(self.size),
            aspect=parse_aspect(self.aspect),
            tag=None if self.tag is None else check_tag(self.tag),
            event=self.event,
            has_words=self.has_words,
        )
