"""The one-hour cache: remembers which searches were answered when, not the answers themselves.

An answer follows from its parameters and its record, so a repeat is rendered anew, byte for byte.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_LIFETIME = timedelta(hours=1)
_NOT_COMPARED = {"api_key", "no_cache"}

Params = Mapping[str, str]


@dataclass(frozen=True)
class SearchRecord:
    """An answered search."""

    id: str
    created_at: datetime


class SearchCache:
    """Records of the last hour by their parameters."""

    def __init__(self) -> None:
        self._records: dict[frozenset[tuple[str, str]], SearchRecord] = {}

    def find(self, params: Params, now: datetime) -> SearchRecord | None:
        """The record of the same search within the hour, unless a fresh one is asked for."""
        self._forget_old(now)
        if params.get("no_cache") == "true":
            return None
        return self._records.get(_key(params))

    def add(self, params: Params, now: datetime) -> SearchRecord:
        """Remember a search that is being answered now."""
        record = SearchRecord(f"{int(now.timestamp()):08x}{secrets.token_hex(8)}", now)
        self._records.pop(_key(params), None)
        self._records[_key(params)] = record
        return record

    def clear(self) -> None:
        self._records.clear()

    def _forget_old(self, now: datetime) -> None:
        while self._records:
            key = next(iter(self._records))  # the oldest, for they are added in order of time
            if now - self._records[key].created_at < _LIFETIME:
                return
            del self._records[key]


def _key(params: Params) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in params.items() if k not in _NOT_COMPARED)
