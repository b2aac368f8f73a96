"""The watch that an address names."""

import re
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import Watch
from adspark.validation.bounds import LARGEST_ID
from adspark.watches.reports.watch_pages import WatchLine, read_watch_line
from adspark.watches.stored import read_watch
from deployments.gallery.failures import NotThereError

_Found = TypeVar("_Found", Watch, WatchLine)


async def read_watch_row(session: AsyncSession, watch_id: int) -> Watch:
    """A watch as it is stored; raises NotThereError where there is none."""
    return _needed(await read_watch(session, watch_id=watch_id))


async def find_watch_row(session: AsyncSession, written: str) -> Watch | None:
    """The watch of a number as it stands in an address; None for no number, or no such watch."""
    is_id = re.fullmatch("[0-9]{1,10}", written) is not None and int(written) <= LARGEST_ID
    return await read_watch(session, watch_id=int(written)) if is_id else None


async def read_line(session: AsyncSession, watch_id: int) -> WatchLine:
    """A watch with its figures; raises NotThereError where there is none."""
    return _needed(await read_watch_line(session, watch_id=watch_id))


def _needed(found: _Found | None) -> _Found:
    if found is None:
        raise NotThereError("no_watch", "/watches")
    return found
