"""Text of others, marked: each is `{"foreign_text": …}`, so that no reader takes it for ours.

Every text is taken for one of others but for codes and names that are made here. What leads to
files of this installation is left out.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from adspark.text.terminal import plain

MARK = "foreign_text"

OWN_TEXTS = frozenset(
    (
        "ad_creative_id", "advertiser_id", "advertiser_ids", "confirmation", "generator",
        "next", "notes", "original_ad_id", "platforms", "purpose", "region", "regions",
        "searched_regions", "size", "then", "user", "watch", "words_source",
    )
)  # fmt: skip
"""Fields of text that AdSpark or its user has written: ids, codes, names of watches and users."""

LEFT_OUT = frozenset(
    (
        "content_hash", "image_path", "original_path", "path", "picture",
        "thumbnail", "thumbnail_path",
    )
)  # fmt: skip
"""Fields that name files of the media store."""

_LONGEST = 5000  # characters of a text


def mark_foreign(value: Any, *, is_own: bool = False) -> Any:  # noqa: ANN401  (JSON)
    """A model, or parts of one, in JSON's types, with its foreign texts marked; none where it is
    our own."""
    if isinstance(value, BaseModel):
        return _mark_fields({name: getattr(value, name) for name in type(value).model_fields})
    if isinstance(value, Mapping):
        return _mark_fields(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [mark_foreign(one, is_own=is_own) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        cleaned = plain(value)
        shown = cleaned if len(cleaned) <= _LONGEST else f"{cleaned[: _LONGEST - 1]}…"
        return shown if is_own else {MARK: shown}
    return value


def _mark_fields(fields: Mapping[str, object]) -> dict[str, Any]:
    return {
        plain(str(name)): mark_foreign(value, is_own=name in OWN_TEXTS)
        for name, value in fields.items()
        if name not in LEFT_OUT
    }
