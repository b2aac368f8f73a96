"""Watches of one user that are the same to a person: warned of, since one is easily overlooked."""

from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.models import Watch
from adspark.text.quotes import in_quotes
from adspark.validation.names import likeness_key
from adspark.watches.definition import definition_of

_Key = tuple[int, Literal["name", "search"], str]
_NAMES = select(col(Watch.id), col(Watch.name))


class Duplicate(NamedTuple):
    """Another watch of the same user, and what is the same: its name or its search."""

    what: Literal["name", "search"]
    watch_id: int
    name: str


async def find_duplicates(
    session: AsyncSession, *, watch_ids: Collection[int], tried_ids: Collection[int] = ()
) -> dict[int, list[str]]:
    """Warnings about saved watches that another of the same user looks like, by the watch's id.

    Of two saved ones that look like each other, the later is warned of.

    Args:
        session: in which they were saved.
        watch_ids: of the watches that were saved.
        tried_ids: of those that are not kept, as in a dry run, whose ids mean nothing to a person.
    """
    found = await find_similar(session, watch_ids=watch_ids)
    names = dict((await session.execute(_NAMES.where(col(Watch.id).in_(found)))).tuples().all())
    return {
        watch_id: [_warning(one, watch_id, names[watch_id], tried_ids) for one in others]
        for watch_id, others in found.items()
    }


async def find_similar(
    session: AsyncSession, *, watch_ids: Collection[int]
) -> dict[int, list[Duplicate]]:
    """The same as values: for each such watch those that it looks like."""
    users = select(col(Watch.user_id)).where(col(Watch.id).in_(watch_ids))
    of_users = select(Watch).where(col(Watch.user_id).in_(users)).order_by(col(Watch.id))
    alike: dict[_Key, list[Watch]] = {}
    watches = (await session.scalars(of_users.execution_options(populate_existing=True))).all()
    for watch in watches:
        for key in _keys(watch):
            alike.setdefault(key, []).append(watch)
    saved = set(watch_ids)
    found: dict[int, list[Duplicate]] = {}
    for watch in watches:
        for key in _keys(watch) if watch.id in saved else ():
            others = [one for one in alike[key] if _is_warned_of(watch, one, saved)]
            if others:
                one = Duplicate(key[1], others[0].id, others[0].name)
                found.setdefault(watch.id, []).append(one)
    return found


def _keys(watch: Watch) -> Iterator[_Key]:
    yield watch.user_id, "name", likeness_key(watch.name)
    yield watch.user_id, "search", definition_of(watch).query.hash


def _is_warned_of(watch: Watch, other: Watch, saved: Collection[int]) -> bool:
    return other is not watch and (other.id not in saved or other.id < watch.id)


def _warning(other: Duplicate, watch_id: int, name: str, tried_ids: Collection[int]) -> str:
    is_tried = watch_id in tried_ids
    another = "another watch" if other.watch_id in tried_ids else f"watch {other.watch_id}"
    if other.what == "name":
        rename = "" if is_tried else f" with: adspark watch change {watch_id} --name NAME"
        return (
            f"name: {another} is called {in_quotes(other.name)}, which differs from "
            f"{in_quotes(name)} only in case, blanks, or characters that cannot be seen or look "
            f"the same; rename it{rename}"
        )
    delete = "" if is_tried else f", with: adspark watch delete {watch_id}"
    return (
        f"its search is the same as that of {another} ({in_quotes(other.name)}): every ad is "
        f"reported twice; keep one of them{delete}"
    )
