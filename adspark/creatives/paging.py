"""When a fetch stops: what its pages prove about those that were not fetched.

SerpApi lists ads by last_shown, the newest first, so a page that reaches further back than needed
proves that no later one matters. That holds for a page that is in order, itself and behind the one
before, and of nothing else. In the same way an end has to be believable: an empty page where more
was promised is none, unless as many ads were seen as there are said to be.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from adspark.models import Fetch, StopReason
from adspark.serpapi.payloads import SearchPage

# Totals are exact below, and rounded to hundreds from there on (700 claimed, 627 real).
_ROUNDED_FROM = 300
_ROUNDING = 100


@dataclass(frozen=True)
class Bounds:
    """How far a fetch goes."""

    max_pages: int = 1
    watermark: datetime | None = None  # no page after one that reaches further back (last_shown)
    max_billed: int | None = None  # no page after so many billed searches

    def are_spent(self, fetch: Fetch) -> bool:
        """Whether no further search may be billed."""
        return self.max_billed is not None and fetch.searches_billed >= self.max_billed

    def stop_after(self, fetch: Fetch) -> StopReason | None:
        """Which bound a fetch has reached by its figures in the ledger; None where it goes on."""
        if self.are_spent(fetch):
            return StopReason.BUDGET
        return StopReason.PAGE_LIMIT if fetch.pages >= self.max_pages else None


class PageOrder:
    """The pages that a run has read of a fetch, from its first page or from a resume on.

    Args:
        shown_to: last_shown of the last row that was read before.
        is_resumed: whether pages were read before.
        seen: ads of those pages, as far as they are known.
    """

    def __init__(
        self,
        *,
        shown_to: datetime | None = None,
        is_resumed: bool = False,
        seen: Collection[str] = (),
    ) -> None:
        self._shown_to = shown_to
        self._is_resumed = is_resumed
        self._is_first = not is_resumed
        self._seen = set(seen)
        self._has_moved = False
        self._claimed: int | None = None
        self._unreadable = 0
        self._last_size = 0

    def stop_after(
        self, page: SearchPage, fetch: Fetch, *, watermark: datetime | None
    ) -> StopReason | None:
        """Why no later page matters, or can be had; None where `page` does not say so.

        Args:
            page: the next one of the fetch.
            fetch: with its figures before the page.
            watermark: of its bounds.
        """
        is_reached = self._reaches(page, watermark)
        self._claimed = fetch.total_results if page.total_results is None else page.total_results
        self._add(page)
        if page.next_page_token is None and self._has_ended(page, fetch):
            return StopReason.END
        if is_reached:
            return StopReason.WATERMARK
        return StopReason.GAP if page.next_page_token is None else None

    @property
    def is_steady(self) -> bool:
        """Whether no ad can have slipped past the pages unseen.

        Where one repeats an ad of an earlier one, others may have moved to the top meanwhile,
        unless as many were seen as there are said to be.
        """
        return not self._has_moved or (
            self._claimed is not None
            and self._claimed < _ROUNDED_FROM
            and len(self._seen) + self._unreadable >= self._claimed
        )

    def without_repeated(self, page: SearchPage) -> SearchPage:
        """A page but for the ads that an earlier one has listed."""
        if self._seen.isdisjoint(row.ad_creative_id for row in page.rows):
            return page
        rows = [row for row in page.rows if row.ad_creative_id not in self._seen]
        return page.model_copy(update={"rows": rows})

    def _reaches(self, page: SearchPage, watermark: datetime | None) -> bool:
        """Whether the page proves that every later one lies behind the watermark."""
        shown = [moment for moment in page.shown if moment]
        if watermark is None or not shown or len(shown) < len(page.shown):
            return False
        in_order = all(former >= latter for former, latter in pairwise(shown))
        return in_order and self._follows(page, shown[0]) and shown[-1] < watermark

    def _follows(self, page: SearchPage, newest: datetime) -> bool:
        """Whether the page begins where the last one ended; rows may slide down and come again."""
        if self._is_first:
            return True
        if self._shown_to is None:
            return False
        if not page.rejected:
            fresh = (row.last_shown for row in page.rows if row.ad_creative_id not in self._seen)
            newest = max((moment for moment in fresh if moment), default=self._shown_to)
        return newest <= self._shown_to

    def _add(self, page: SearchPage) -> None:
        self._is_first = False
        listed = {row.ad_creative_id for row in page.rows}
        self._has_moved |= not self._seen.isdisjoint(listed)
        self._seen |= listed
        self._unreadable += len(page.rejected)
        if page.shown:
            self._shown_to = page.shown[-1]
        if not page.is_empty:
            self._last_size = len(page.rows) + len(page.rejected)

    def _has_ended(self, page: SearchPage, fetch: Fetch) -> bool:
        """Whether a page without a token is the end of the list, and not of the answers."""
        page_size = int(fetch.query.get("page_size", 0))
        claimed = self._claimed
        if page.broke_off:
            return page.is_empty and self._has_seen_all(page_size, claimed)
        # An end in spite of a full page, or of a fraction of what there is said to be, is none.
        size = len(page.rows) + len(page.rejected)
        listed = fetch.listed + size
        if claimed is not None and claimed <= listed:
            return True
        return not (0 < page_size <= size or (claimed or 0) > 2 * listed)

    def _has_seen_all(self, page_size: int, total: int | None) -> bool:
        """Whether the total proves that the promised page had no rows."""
        # One below what was seen proves nothing, nor does one that only counts the first page.
        seen = len(self._seen) + self._unreadable
        is_full = self._last_size >= page_size
        if self._is_resumed or total is None or (is_full and seen <= page_size):
            return False
        if total < _ROUNDED_FROM:
            return seen == total
        return not is_full and abs(seen - total) <= _ROUNDING
