"""Carry out what a file says of watches: all of it or, where it has a mistake, nothing."""

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.watches.duplicates import find_duplicates
from adspark.watches.files.watch_file import WatchFile, check_mistakes
from adspark.watches.store import MergedWatch, Outcome, merge_watch


async def import_watches(
    session: AsyncSession, *, file: WatchFile, is_kept: bool
) -> tuple[list[MergedWatch], list[str]]:
    """Create and change the watches of a file; they, by user and name, and warnings.

    Args:
        session: of the caller, which commits unless this raises.
        file: as it was read.
        is_kept: whether the caller commits; a number means nothing to a person where it does not.

    Raises:
        ConfigurationError: names every mistake of the file, a line each.
    """
    merged: list[MergedWatch] = []
    warnings: list[str] = []
    mistakes = list(file.mistakes)
    # In one order, so that two imports at once cannot wait for each other.
    for entry in sorted(file.entries, key=lambda one: one.key):
        try:
            one = await merge_watch(session, changes=entry.fields, clear=entry.clear)
        except InvalidQueryError as error:
            mistakes.append((entry.row, entry.called + str(error)))
            continue
        merged.append(one)
        warnings += [entry.called + warning for warning in one.warnings]
    check_mistakes(mistakes)
    return merged, warnings + await _warn_of_duplicates(session, merged, is_kept=is_kept)


async def _warn_of_duplicates(
    session: AsyncSession, merged: list[MergedWatch], *, is_kept: bool
) -> list[str]:
    created = [one.saved.id for one in merged if one.saved.outcome is Outcome.CREATED]
    begun = [one.saved.id for one in merged if one.saved.begins_anew]
    alike = await find_duplicates(
        session, watch_ids=created + begun, tried_ids=() if is_kept else created
    )
    return [
        f"watch {one.definition.name!r}: {warning}"
        for one in merged
        for warning in alike.get(one.saved.id, [])
    ]
