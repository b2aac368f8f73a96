"""The filters of a search as they are typed, in a command or a form, and what they come to."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.boards import find_board
from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.library.advertisers.named import resolve_advertisers
from adspark.library.filters.definition import AdFilters
from adspark.library.filters.parsing import (
    check_order,
    parse_aspect,
    parse_day,
    parse_domain,
    parse_size,
)
from adspark.library.marks.tags import check_tag, list_tags
from adspark.models import DEFAULT_USER, CreativeFormat, EventKind, Platform
from adspark.serpapi.regions import region_code
from adspark.text.quotes import in_quotes
from adspark.users.remedies import for_user
from adspark.validation.bounds import DAYS
from adspark.validation.near_names import describe_unknown
from adspark.validation.numbers import read_whole
from adspark.validation.repeated import check_once
from adspark.validation.stored import check_storable
from adspark.watches.stored import find_watch

_Choice = TypeVar("_Choice", bound=StrEnum)
_YES_OR_NO = {"yes": True, "no": False}


@dataclass(frozen=True)
class WrittenFilters:
    """The filters as they are typed; None is no filter. `ids` are those of ads."""

    ids: list[str] | None = None
    advertiser: list[str] | None = None
    format: CreativeFormat | None = None
    platform: Platform | None = None
    region: str | None = None
    domain: str | None = None
    first_from: str | None = None
    first_to: str | None = None
    last_from: str | None = None
    last_to: str | None = None
    is_running: bool | None = None
    least_days: int | None = None
    size: str | None = None
    aspect: str | None = None
    board: str | None = None
    watch: str | None = None
    tag: str | None = None
    event: EventKind | None = None
    has_words: bool | None = None
    user: int = DEFAULT_USER

    async def resolve(self, session: AsyncSession) -> AdFilters:
        """The filters with the ids of what they name.

        Raises:
            InvalidQueryError: one cannot be read, or names what there is not; says which.
        """
        values = self._parse()
        if self.advertiser:
            found = await resolve_advertisers(session, names=self.advertiser)
            values = values.model_copy(update={"advertiser_ids": tuple(found)})
        if values.tag is not None:
            await _check_tag_is_seen(session, values.tag, self.user)
        if self.board is not None:
            try:
                board = await find_board(session, user_id=self.user, name=self.board)
            except InvalidQueryError as error:
                raise error.beside("board") from None
            values = values.model_copy(update={"board_id": board.id})
        if self.watch is not None:
            watch_id = await _find_watch_id(session, self.watch)
            values = values.model_copy(update={"watch_id": watch_id})
        return values

    def _parse(self) -> AdFilters:
        """What needs no database."""
        parsed = AdFilters(
            user_id=self.user,
            ids=None if self.ids is None else tuple(self.ids),
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
        check_order("first", parsed.first_shown_from, parsed.first_shown_to)
        check_order("last", parsed.last_shown_from, parsed.last_shown_to)
        return parsed


class Parameters(Protocol):
    """The query of an address: texts by name, each perhaps several times."""

    def get(self, name: str, /) -> str | None:
        """The last text of a name; None where there is none."""

    def getlist(self, name: str, /) -> list[str]:
        """All texts of a name."""


def read_parameters(parameters: Parameters, *, user: int) -> WrittenFilters:
    """The filters in an address's query, of this user's boards and tags; an empty text is none.

    Raises:
        InvalidQueryError: one cannot be read, or is given twice; names the parameter.
    """
    values: dict[str, Any] = {"user": user}
    for name, (attribute, read) in PARAMETERS.items():
        given = [one.strip() for one in parameters.getlist(name) if one.strip()]
        for one in given:
            check_storable(name, one)
        if attribute == "advertiser":
            values[attribute] = given or None
            continue
        check_once(name, given)
        if given:
            values[attribute] = read(name, given[0])
    return WrittenFilters(**values)


def choose(name: str, choices: type[_Choice], written: str | None) -> _Choice | None:
    """One of some choices by its value; None where nothing is written.

    Args:
        name: of the field, for the error.
        choices: the values that there are.
        written: by a person.

    Raises:
        InvalidQueryError: it is none of them; names them.
    """
    if not written:
        return None
    try:
        return choices(written)
    except ValueError:
        allowed = ", ".join(choices)
        raise InvalidQueryError(name, f"{written[:40]!r} is not one of {allowed}.") from None


def _one_of(choices: type[StrEnum]) -> Callable[[str, str], StrEnum | None]:
    return lambda name, written: choose(name, choices, written)


def _text(_: str, written: str) -> str:
    return written


def _yes_or_no(name: str, written: str) -> bool:
    if written not in _YES_OR_NO:
        raise InvalidQueryError(name, f"{written[:40]!r} is neither yes nor no.")
    return _YES_OR_NO[written]


def _days(name: str, written: str) -> int:
    if (days := read_whole(written)) is None:
        raise InvalidQueryError(name, f"{written[:40]!r} is not a number of days.")
    DAYS.check(name, days)
    return days


PARAMETERS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "advertiser": ("advertiser", _text),
    "format": ("format", _one_of(CreativeFormat)),
    "platform": ("platform", _one_of(Platform)),
    "region": ("region", _text),
    "domain": ("domain", _text),
    "first-from": ("first_from", _text),
    "first-to": ("first_to", _text),
    "last-from": ("last_from", _text),
    "last-to": ("last_to", _text),
    "running": ("is_running", _yes_or_no),
    "least-days": ("least_days", _days),
    "size": ("size", _text),
    "aspect": ("aspect", _text),
    "board": ("board", _text),
    "watch": ("watch", _text),
    "tag": ("tag", _text),
    "event": ("event", _one_of(EventKind)),
    "words": ("has_words", _yes_or_no),
}
"""Of each parameter of an address the filter, and how its text is read."""


async def _check_tag_is_seen(session: AsyncSession, tag: str, user_id: int) -> None:
    known = {row.tag for row in await list_tags(session, user_id=user_id)}
    if tag.lower() not in {one.lower() for one in known}:
        said = describe_unknown(f"user {user_id} sees no tag {in_quotes(tag)}", tag, sorted(known))
        those = f"those there are: adspark ads tag{for_user(user_id)}"
        raise InvalidQueryError("tag", said, command=those)


async def _find_watch_id(session: AsyncSession, written: str) -> int:
    check_storable("watch", written)
    try:
        return (await find_watch(session, name_or_id=written)).id
    except ConfigurationError as error:
        raise InvalidQueryError("watch", error.sentence, command=error.command) from error
