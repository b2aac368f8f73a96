"""Create or change a watch from the form of Prefect's UI.

Blocks: adspark-database/adspark. Limits: none. Tables: watch, watch_creative, fetch.
"""

from collections.abc import Sequence
from typing import Annotated

from prefect import flow
from prefect.logging import get_run_logger

from adspark.models import DEFAULT_USER
from adspark.validation.bounds import (
    DETAILS_PER_SWEEP,
    ENDED_AFTER_DAYS,
    INTERVAL_MINUTES,
    MONTHLY_BUDGET,
    TEXT,
    WATCH_PAGES,
)
from adspark.watches.definition import WatchFields, pick_fields
from adspark.watches.store import SavedWatch, create_or_change_watch
from blocks.adspark_database import open_session
from flows.endings import PLAIN_JSON, completed
from flows.parameters import (
    AdvertiserIds,
    OptionalFlag,
    OptionalFormat,
    OptionalPlatform,
    OptionalRegion,
    OptionalText,
    UserId,
    WatchFieldsToClear,
    label,
)
from orchestration.limits.retry_policy import retried_task


@flow(name="save-watch", persist_result=True, result_serializer=PLAIN_JSON)
async def save_watch(
    name: Annotated[str, TEXT, label("Name")],
    advertiser_ids: AdvertiserIds = None,
    text: OptionalText = None,
    region: OptionalRegion = None,
    platform: OptionalPlatform = None,
    creative_format: OptionalFormat = None,
    political_ads: Annotated[OptionalFlag, label("Political ads only")] = None,
    interval_minutes: Annotated[
        int | None, INTERVAL_MINUTES, label("Minutes between checks")
    ] = None,
    max_pages: Annotated[int | None, WATCH_PAGES, label("Pages a check")] = None,
    monthly_budget: Annotated[int | None, MONTHLY_BUDGET, label("Monthly budget")] = None,
    ended_after_days: Annotated[int | None, ENDED_AFTER_DAYS, label("Ended after days")] = None,
    details_per_sweep: Annotated[int | None, DETAILS_PER_SWEEP, label("Details a check")] = None,
    is_active: Annotated[OptionalFlag, label("Active")] = None,
    user_id: UserId = DEFAULT_USER,
    clear: WatchFieldsToClear = None,
) -> SavedWatch:
    """Create a watch, or change the one of this name; what is left empty stays as it is.

    Args:
        name: A name that no other watch of the user has.
        advertiser_ids: A new watch needs these or a domain: advertisers, AR and 20 digits each.
        text: A new watch needs this or advertisers: a bare domain such as example.com.
        region: ISO code (US), country name or SerpApi code (2840); empty means anywhere.
        platform: Only ads shown on this surface.
        creative_format: Only ads of this format.
        political_ads: Only political ads; needs a region.
        interval_minutes: Minutes between two checks, 5 to 43200; at first 60.
        max_pages: Pages a check, so searches, at most; at first 5.
        monthly_budget: Billed searches a calendar month at most; at first without a bound.
        ended_after_days: An ad not shown for so many days has ended; at first 7.
        details_per_sweep: New ads a check looked up in detail, one search each; at first 0.
        is_active: Whether it is checked; no pauses it.
        user_id: Whose watch it is.
        clear: Fields to empty.
    """
    changes = pick_fields(locals())
    log = get_run_logger()
    saved, message, warnings = await _save(
        changes, [clear] if isinstance(clear, str) else clear or []
    )
    for warning in warnings:
        log.warning(warning)
    return completed(saved, message)


@retried_task()
async def _save(
    changes: WatchFields, clear: Sequence[str]
) -> tuple[SavedWatch, str, Sequence[str]]:
    """Save the watch; what it came to, and warnings."""
    async with open_session() as session:
        saved, definition, warnings = await create_or_change_watch(
            session, changes=changes, clear=clear
        )
        await session.commit()
    message = f"Watch {saved.id} ({definition.name}): {saved.outcome}; {definition.cost}"
    return saved, message, warnings
