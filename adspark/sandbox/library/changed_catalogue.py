"""A catalogue with changes made to it."""

from collections.abc import Sequence

from adspark.sandbox.library.catalogue import Advertiser, Catalogue, Row, Selection
from adspark.sandbox.library.changes import AddAd, Change
from adspark.sandbox.library.listed import ListedCatalogue, ListedSelection, sort_rows
from adspark.sandbox.serpapi.query import Query


class UnknownAdError(Exception):
    """A change to an ad that there is not."""


class ChangedCatalogue:
    """The catalogue `base` after changes, made one after the other.

    It never changes itself, so an answer can keep the one that it was made from. A query that no
    change touches costs what it costs in `base`. Platforms of changed ads are not known, so they
    match every one.

    Raises:
        UnknownAdError: there is no such ad to remove or alter.
    """

    def __init__(self, base: Catalogue, changes: Sequence[Change] = ()) -> None:
        self.changes = tuple(changes)
        self._base = base
        self._rows: dict[str, Row | None] = {}
        self._advertisers = set[str]()
        self._domains = set[str]()
        for change in changes:
            self._make(change)
        self._present = ListedCatalogue(row for row in self._rows.values() if row)

    def select(self, query: Query) -> Selection:
        selection = self._base.select(query)
        if not self._touches(query):
            return selection
        kept = [row for row in selection.rows(0) if row["ad_creative_id"] not in self._rows]
        return ListedSelection(sort_rows([*kept, *self._present.select(query).rows(0)]))

    def find(self, number: str) -> Row | None:
        row = self._base.find(number)
        if row and row["ad_creative_id"] not in self._rows:
            return row
        return self._present.find(number)

    def advertisers(self, limit: int) -> list[Advertiser]:
        """As they are in `base`."""
        return self._base.advertisers(limit)

    def _make(self, change: Change) -> None:
        number = change.ad_creative_id
        before = self._rows[number] if number in self._rows else self._base.find(number)
        if before is None and not isinstance(change, AddAd):
            raise UnknownAdError(f"There is no ad {number} to {change.action}.")
        after = self._rows[number] = change.apply(before or {})
        for row in filter(None, (before, after)):
            self._advertisers.add(str(row["advertiser_id"]))
            if "target_domain" in row:
                self._domains.add(str(row["target_domain"]))

    def _touches(self, query: Query) -> bool:
        if query.advertiser_ids:
            return not self._advertisers.isdisjoint(query.advertiser_ids)
        return query.text in self._domains
