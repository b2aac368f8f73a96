"""Watches of one user that are the same to a person: warned of, since one is easily overlooked."""

from collections.abc import Collection, Iterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.models import Watch
from adspark.validation.names import name_key
from adspark.watches.definition import definition_of


async def find_duplicates(
    session: AsyncSession, *, watch_ids: Collection[int]
) -> dict[int, list[str]]:
    """Warnings about saved watches that another of the same user looks like, by the watch's id.

    Of two saved ones that look like each other, the later is warned of.
    """
    users = select(col(Watch.user_id)).where(col(Watch.id).in_(watch_ids))
    of_users = select(Watch).where(col(Watch.user_id).in_(users)).order_by(col(Watch.id))
    alike: dict[tuple[int, str, str], list[Watch]] = {}
    watches = (await session.scalars(of_users.execution_options(populate_existing=True))).all()
    for watch in watches:
        for key in _keys(watch):
            alike.setdefault(key, []).append(watch)
    saved = set(watch_ids)
    found: dict[int, list[str]] = {}
    for watch in watches:
        for key in _keys(watch) if watch.id in saved else ():
            others = [one for one in alike[key] if _is_warned_of(watch, one, saved)]
            if others:
                found.setdefault(watch.id, []).append(_warning(key[1], watch, others[0]))
    return found


def _keys(watch: Watch) -> Iterator[tuple[int, str, str]]:
    yield watch.user_id, "name", name_key(watch.name)
    yield watch.user_id, "search", definition_of(watch).query.hash


def _is_warned_of(watch: Watch, other: Watch, saved: Collection[int]) -> bool:
    return other is not watch and (other.id not in saved or other.id < watch.id)


def _warning(what: str, watch: Watch, other: Watch) -> str:
    if what == "name":
        return (
            f"name: watch {other.id} is called {other.name!r}, which differs from {watch.name!r} "
            f"only in case, blanks or characters that cannot be seen; rename it with: "
            f"adspark watch change {watch.id} --name NAME"
        )
    return (
        f"its search is the same as that of watch {other.id} ({other.name!r}): every ad is "
        f"reported twice; keep one of them, with: adspark watch delete {watch.id}"
    )
