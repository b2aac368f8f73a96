"""What comes of saving the form of a watch: carried out, and shown before it is kept."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.models import Watch
from adspark.watches.budgets import MonthEstimate, estimate_month, read_billed_a_check
from adspark.watches.definition import WatchDefinition
from adspark.watches.duplicates import Duplicate, find_similar
from adspark.watches.store import Outcome, SavedWatch, change_watch, save_watch
from deployments.gallery.routes.watches.fields import WatchForm


@dataclass(frozen=True)
class SaveOutcome:
    """A watch that was saved, in a transaction that is yet to be committed.

    Attributes:
        saved: number of the watch, and whether its past begins anew.
        estimate: of its month's cost.
        duplicates: other watches that it looks like.
    """

    saved: SavedWatch
    estimate: MonthEstimate
    duplicates: list[Duplicate] = field(default_factory=list)


async def save(
    session: AsyncSession, form: WatchForm, definition: WatchDefinition, present: Watch | None
) -> SaveOutcome | None:
    """Save the watch of a form; does not commit. None: its form has a problem now.

    Args:
        form: of the watch.
        definition: that comes of it.
        present: what the changes were made to; None: the watch is new.

    Raises:
        ChangedMeanwhileError: it is not as it was.
    """
    estimate = await estimate_cost(session, definition, present)
    try:
        saved = await (
            _create(session, definition) if present is None else _change(session, form, present)
        )
    except InvalidQueryError as error:
        form.problems[error.field] = error.sentence
        return None
    found = await find_similar(session, watch_ids=[saved.id])
    return SaveOutcome(saved, estimate, found.get(saved.id, []))


async def estimate_cost(
    session: AsyncSession, definition: WatchDefinition, present: Watch | None
) -> MonthEstimate:
    """What a month of the watch costs, by what its checks of this search were billed lately.

    Args:
        definition: of the watch as it is to be.
        present: as it is; None: it is new.
    """
    billed = None
    if present is not None:
        billed = await read_billed_a_check(session, watch_id=present.id, definition=definition)
    return estimate_month(definition, billed_a_check=billed)


async def _create(session: AsyncSession, definition: WatchDefinition) -> SavedWatch:
    saved = await save_watch(session, definition=definition)
    if saved.outcome is Outcome.CHANGED:  # an unchanged one was made by the same form, sent twice
        raise InvalidQueryError(
            "name", f"watch {saved.id} is called {definition.name!r} already; choose another name."
        )
    return saved


async def _change(session: AsyncSession, form: WatchForm, present: Watch) -> SavedWatch:
    saved, _, _ = await change_watch(
        session,
        watch_id=present.id,
        changes=form.fields(),
        clear=form.cleared(),
        version=present.updated_at,
    )
    return saved
