"""The cache: remembers which searches were answered when, not the answers themselves.

An answer follows from its parameters and its record, so a repeat is rendered anew, byte for byte.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adspark.sandbox.library.catalogue import Catalogue

_NOT_COMPARED = {"api_key", "no_cache"}

Params = Mapping[str, str]


@dataclass(frozen=True)
class SearchRecord:
    """An answered search, with the ads as they were then."""

    id: str
    created_at: datetime
    catalogue: Catalogue


class SearchCache:
    """The latest records by their parameters; `lifetime` is in seconds."""

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._records: dict[frozenset[tuple[str, str]], SearchRecord] = {}

    def find(self, params: Params, now: datetime) -> SearchRecord | None:
        """The record of the same search while it lives, unless a fresh one is asked for."""
        self._forget_old(now)
        if params.get("no_cache") == "true":
            return None
        return self._records.get(_key(params))

    def add(self, params: Params, record: SearchRecord) -> None:
        """Remember a search that is being answered now."""
        self._records.pop(_key(params), None)
        self._records[_key(params)] = record

    def clear(self) -> None:
        self._records.clear()

    def _forget_old(self, now: datetime) -> None:
        while self._records:
            key = next(iter(self._records))  # the oldest, for they are added in order of time
            if (now - self._records[key].created_at).total_seconds() < self._lifetime:
                return
            del self._records[key]


def make_record(now: datetime, catalogue: Catalogue) -> SearchRecord:
    """The record of a search that is answered now, under an id of its own."""
    return SearchRecord(f"{int(now.timestamp()):08x}{secrets.token_hex(8)}", now, catalogue)


def _key(params: Params) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in params.items() if k not in _NOT_COMPARED)
