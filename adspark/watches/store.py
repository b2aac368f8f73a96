"""Every statement that changes the definitions of watches: save, pause and delete."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.creatives.ledger import RESUMABLE_FOR
from adspark.errors import ChangedMeanwhileError, InvalidQueryError
from adspark.models import DEFAULT_USER, Watch
from adspark.text.quotes import in_quotes
from adspark.validation.names import check_name
from adspark.watches.budgets import NEXT_MONTH
from adspark.watches.definition import (
    WatchDefinition,
    WatchFields,
    change_definition,
    definition_of,
)
from adspark.watches.duplicates import find_duplicates
from adspark.watches.stored import unknown_watch

_FIELDS = tuple(WatchDefinition.model_fields)

_INSERT = text(f"""
    INSERT INTO watch ({", ".join(_FIELDS)}) VALUES ({", ".join(f":{name}" for name in _FIELDS)})
    ON CONFLICT (user_id, name) DO NOTHING RETURNING id
""")  # noqa: S608  (put together from the names of the fields)
# A search is paid for: what asks for no other one leaves the watch due when it was.
_OVERWRITE = text(f"""
    UPDATE watch SET {", ".join(f"{name} = :{name}" for name in _FIELDS)},
        due_at = CASE
            WHEN :asks_for_more THEN now()
            WHEN monthly_budget IS DISTINCT FROM :monthly_budget AND due_at = {NEXT_MONTH}
            THEN now()
            WHEN interval_minutes <> :interval_minutes
            THEN greatest(now(), checked_at + make_interval(mins => :interval_minutes))
            ELSE due_at
        END,
        updated_at = now()
    WHERE id = :id
""")  # noqa: S608  (put together from the names of the fields)
# An unfinished fetch of the former search has linked its first pages to links that are deleted, so
# it is not resumed. One that is being written to is ended by its own run.
_RESET = text(f"""
    WITH links AS (
        DELETE FROM watch_creative WHERE watch_id = :id
    ), unfinished AS (
        SELECT id FROM "fetch"
        WHERE watch_id = :id AND status IN ('running', 'failed')
            AND updated_at > now() - interval '{RESUMABLE_FOR.total_seconds()} seconds'
        FOR UPDATE SKIP LOCKED
    ), abandoned AS (
        UPDATE "fetch" SET status = 'abandoned',
            error = coalesce(error, 'The search of its watch was changed.')
        WHERE id IN (SELECT id FROM unfinished)
    )
    UPDATE watch SET baseline_at = NULL, complete_at = NULL, has_gaps = false,
        checked_at = NULL, coverage = NULL, problem = NULL
    WHERE id = :id
""")  # noqa: S608  (put together from a constant)
_COUNT_CONTENTS = text("""
    SELECT (SELECT count(*) FROM watch_creative WHERE watch_id = :watch_id) AS creatives,
        (SELECT count(*) FROM creative_event WHERE watch_id = :watch_id) AS events
""")
# Its running fetch is abandoned, since only one of a search that belongs to no watch may run; and
# first, so that a page that is being stored is waited for before the watch is locked.
_DELETE = text("""
    WITH abandoned AS (
        UPDATE "fetch" SET status = 'abandoned', error = coalesce(error, 'Its watch was deleted.')
        WHERE watch_id = :watch_id AND status = 'running'
        RETURNING id
    )
    DELETE FROM watch WHERE id = :watch_id AND (SELECT count(*) FROM abandoned) >= 0
    RETURNING id
""")
# It leaves `updated_at` alone: what a check has paid for just now is still stored.
_SET_ACTIVE = text("""
    UPDATE watch SET is_active = :is_active,
        due_at = CASE WHEN :is_active THEN now() ELSE due_at END
    WHERE id = :watch_id AND is_active <> :is_active
    RETURNING id
""")


class Outcome(StrEnum):
    """What saving did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class SavedWatch(BaseModel):
    """A watch that was saved: the result of `save-watch`.

    `begins_anew` where its search is another one, so that its links are deleted.
    """

    id: int
    outcome: Outcome
    begins_anew: bool = False


class MergedWatch(NamedTuple):
    """A watch to which changes were made that left its other fields as they were.

    `before` is its former definition, None where it was created; `warnings` are about `definition`.
    """

    saved: SavedWatch
    before: WatchDefinition | None
    definition: WatchDefinition
    warnings: list[str]


class WatchContents(BaseModel):
    """What goes with a watch when it is deleted."""

    creatives: int
    events: int


async def save_watch(session: AsyncSession, *, definition: WatchDefinition) -> SavedWatch:
    """Store the definition of the watch of its user and name, whether there is one or not.

    The watch is due at once where its search is another one, has more pages, or is resumed; with
    another interval, so long after its last check. Another search resets it: its links are deleted,
    its events stay. What is unchanged is not written.
    """
    named = _named(definition.user_id, definition.name)
    while True:  # again where another session has created or deleted it in between
        if present := await _lock(session, *named):
            return await _overwrite(session, present, definition)
        if created := await _insert(session, definition):
            return created


async def change_watch(
    session: AsyncSession,
    *,
    watch_id: int,
    changes: WatchFields,
    clear: Collection[str] = (),
    version: datetime | None = None,
) -> tuple[SavedWatch, WatchDefinition, list[str]]:
    """Change only what is given of a watch, perhaps its name; as `save_watch` otherwise.

    Args:
        watch_id: of the watch.
        changes: what is given.
        clear: fields to empty; see `change_definition`.
        version: `updated_at` of what the changes were made to; None: change whatever it is now.

    Returns:
        What became of it, its definition now, and warnings.

    Raises:
        InvalidQueryError: the outcome cannot be used, or another watch has its new name.
        ConfigurationError: there is no such watch.
        ChangedMeanwhileError: it is of another version.
    """
    of_version = [] if version is None else [col(Watch.updated_at) == version]
    present = await _lock(session, col(Watch.id) == watch_id, *of_version)
    if present is None:
        if await session.scalar(select(col(Watch.id)).where(col(Watch.id) == watch_id)):
            raise ChangedMeanwhileError(f"Watch {watch_id} was changed by somebody else meanwhile.")
        raise unknown_watch(str(watch_id))
    definition, warnings = change_definition(definition_of(present), changes, clear)
    is_renamed = (definition.user_id, definition.name) != (present.user_id, present.name)
    if is_renamed:
        await _check_name_is_free(session, definition)
    saved = await _overwrite(session, present, definition)
    if is_renamed or saved.begins_anew:  # else it was warned of before
        warnings += await warn_of_duplicates(session, saved)
    return saved, definition, warnings


async def create_or_change_watch(
    session: AsyncSession, *, changes: WatchFields, clear: Collection[str] = ()
) -> tuple[SavedWatch, WatchDefinition, list[str]]:
    """As `merge_watch`, with warnings of other watches that a new one, or a new search, looks like.

    Args:
        session: of the caller, which commits.
        changes: what is given; the name is.
        clear: names of fields that are emptied.

    Raises:
        InvalidQueryError: the outcome cannot be used.
    """
    saved, _, definition, warnings = await merge_watch(session, changes=changes, clear=clear)
    if saved.outcome is Outcome.CREATED or saved.begins_anew:
        warnings += await warn_of_duplicates(session, saved)
    return saved, definition, warnings


async def merge_watch(
    session: AsyncSession, *, changes: WatchFields, clear: Collection[str]
) -> MergedWatch:
    """Create the watch of the given name and user; where there is one, change what is given.

    Args:
        session: of the caller, which commits.
        changes: what is given; the name is.
        clear: names of fields that are emptied.

    Raises:
        InvalidQueryError: the outcome cannot be used.
    """
    user_id = changes.get("user_id") or DEFAULT_USER
    named = _named(user_id, check_name(changes.get("name") or "", "watch"))
    while True:  # again where another session has created or deleted it in between
        present = await _lock(session, *named)
        before = definition_of(present) if present else None
        definition, warnings = change_definition(before, changes, clear)
        saved = (
            await _overwrite(session, present, definition)
            if present
            else await _insert(session, definition)
        )
        if saved:
            return MergedWatch(saved, before, definition, warnings)


async def warn_of_duplicates(session: AsyncSession, saved: SavedWatch) -> list[str]:
    """Warnings about other watches of its user that a saved one looks like."""
    found = await find_duplicates(session, watch_ids=[saved.id])
    return found.get(saved.id, [])


async def count_contents(session: AsyncSession, *, watch_id: int) -> WatchContents:
    """What would go with the watch."""
    counted = await session.execute(_COUNT_CONTENTS, {"watch_id": watch_id})
    return WatchContents(**counted.mappings().one())


async def delete_watch(session: AsyncSession, *, watch_id: int) -> bool:
    """Delete a watch with its links and events; creatives and fetches stay. False: none is."""
    return await session.scalar(_DELETE, {"watch_id": watch_id}) is not None


async def set_active(session: AsyncSession, *, watch_id: int, is_active: bool) -> bool:
    """Pause a watch, or resume it, which makes it due; False where nothing had to change.

    Args:
        session: of the caller, which commits.
        watch_id: of the watch.
        is_active: False pauses it.
    """
    values = {"watch_id": watch_id, "is_active": is_active}
    return await session.scalar(_SET_ACTIVE, values) is not None


async def _lock(session: AsyncSession, *which: ColumnElement[bool]) -> Watch | None:
    """The watch as it is now, locked until the transaction's end; its checks may link to it."""
    found: Watch | None = await session.scalar(
        select(Watch)
        .where(*which)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found


async def _insert(session: AsyncSession, definition: WatchDefinition) -> SavedWatch | None:
    """Create a watch; None where another session has just done so."""
    created: int | None = await session.scalar(_INSERT, definition.model_dump(mode="json"))
    return None if created is None else SavedWatch(id=created, outcome=Outcome.CREATED)


async def _overwrite(
    session: AsyncSession, present: Watch, definition: WatchDefinition
) -> SavedWatch:
    watch_id, before = present.id, definition_of(present)
    if before == definition:
        return SavedWatch(id=watch_id, outcome=Outcome.UNCHANGED)
    begins_anew = before.query != definition.query
    is_resumed = definition.is_active and not before.is_active
    asks_for_more = begins_anew or is_resumed or definition.max_pages > before.max_pages
    values = definition.model_dump(mode="json") | {"id": watch_id, "asks_for_more": asks_for_more}
    await session.execute(_OVERWRITE, values)
    if begins_anew:
        await session.execute(_RESET, {"id": watch_id})
    return SavedWatch(id=watch_id, outcome=Outcome.CHANGED, begins_anew=begins_anew)


async def _check_name_is_free(session: AsyncSession, definition: WatchDefinition) -> None:
    named = _named(definition.user_id, definition.name)
    if other := await session.scalar(select(col(Watch.id)).where(*named)):
        raise InvalidQueryError(
            "name",
            f"watch {other} is called {in_quotes(definition.name)} already; choose another name.",
        )


def _named(user_id: int, name: str) -> tuple[ColumnElement[bool], ...]:
    return col(Watch.user_id) == user_id, col(Watch.name) == name
