"""Remove what is past its retention, in small steps that block nobody.

Every step is a transaction of its own over a batch of rows, forward by key; locked rows are left
for the next time. An ad stays while a variant of it is being made, as long as it is on a board or
has a user's tag, title or note, and for good once a variant is approved; also while news of it is
unannounced, but no longer than other ads stay, and as long after a variant of it was last
requested, generated or reviewed: what was paid can be judged. The links of watches and the details
that were bought stay: nothing is reported or paid twice. Archived pictures go by an age and a bound
on the disk of their own, but for those that a board, a variant or an active watch needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.maintenance.archive_cleanup import count_over_bound, remove_over_bound
from adspark.maintenance.cleanup_statements import (
    ADVERTISERS,
    CREATIVES,
    DETAILS,
    EVENTS,
    FETCHES,
    GENERATION_USES,
    MESSAGES,
    PICTURE_VERSIONS,
    PICTURE_WORDS,
    REJECTED_ROWS,
    Kind,
)
from adspark.maintenance.store_owner import Claim, claim_store, read_known
from adspark.media.store import MediaStore, StoreRefusedError
from adspark.text.counts import counted
from adspark.validation.bounds import DAYS, Range

BATCH = 1000  # rows a step; their locks are held for well under a second
LEAST_DAYS = {"fetches": 62}  # budgets and forecasts need two months of the ledger
_MOST_LISTED = 50_000  # archived pictures up to which all are listed together
_MOST_NAMED = 5  # pictures and strays that a summary names
# What is removed, in its order, as it is told of one.
_NOUNS = {
    "creatives": "ad",
    "variants": "variant",
    "events": "event",
    "details": "detail",
    "advertisers": "advertiser",
    "fetches": "fetch",
    "generation_uses": "generation use",
    "rejected_rows": "rejected row",
    "messages": "message",
    "picture_versions": "picture version",
    "picture_words": "picture text",
    "pictures": "picture",
    "run_results": "run result",
}
_UNUSED_FOR = timedelta(days=1)  # before a picture goes; a variant's is kept before its row is

# Pictures of variants and originals; those of the archive and all thumbnails, by the first digits
# of their hash.
_USED = text("""
    SELECT original_path FROM ad_variant WHERE original_path IS NOT NULL
    UNION SELECT image_path FROM ad_variant WHERE image_path IS NOT NULL
""")
_ARCHIVED = text("""
    SELECT unnest(ARRAY[path, thumbnail_path]) FROM picture_version
    WHERE status = 'stored' AND sha256 >= :digits AND sha256 < :digits || 'g'
    UNION ALL SELECT thumbnail_path FROM ad_variant
    WHERE starts_with(thumbnail_path, 'thumbnails/' || :digits)
""")
_COUNT_ARCHIVED = text("SELECT count(*) FROM picture_version WHERE status = 'stored'")
_IS_USED = text("""
    SELECT EXISTS (
            SELECT FROM ad_variant WHERE :at IN (original_path, image_path, thumbnail_path)
        )
        OR EXISTS (
            SELECT FROM picture_version
            WHERE status = 'stored' AND sha256 = :name AND :at IN (path, thumbnail_path)
        )
""")


class Retention(BaseModel):
    """For how many days what is kept.

    The ledger's are also those of details that were bought, once no watch knows their ad, and of
    generations that count for budgets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    days_old: int = 90  # ads, after they were shown last and their variants changed last
    fetches: int = 400  # entries of the ledger, after they were begun
    rejected_rows: int = 30  # that could not be read
    messages: int = 90  # digests, after they were delivered
    # Archived pictures of earlier versions and of ads that are gone, after they were archived.
    picture_versions: int = 400


class CleanupSummary(BaseModel):
    """What was removed, or would be in a dry run; the result of `cleanup-old-creatives`."""

    dry_run: bool
    creatives: int = 0
    variants: int = 0
    events: int = 0
    details: int = 0
    advertisers: int = 0
    fetches: int = 0
    generation_uses: int = 0
    rejected_rows: int = 0
    messages: int = 0
    picture_versions: int = 0
    picture_words: int = 0
    pictures: int = 0
    picture_bytes: int = 0
    run_results: int = 0
    strays: Annotated[
        int, Field(description="What lies among the pictures by no name of theirs; it is left.")
    ] = 0
    stray_paths: Annotated[
        list[str], Field(description="Of the first of them, in the media store.")
    ] = []
    unremoved: Annotated[int, Field(description="Pictures that could not be removed.")] = 0
    unremoved_pictures: Annotated[
        list[str], Field(description="The first of them, by path in the media store, and why.")
    ] = []

    problem: Annotated[
        str | None, Field(description="Why unused pictures stay, all of them, and what to do.")
    ] = None
    note: Annotated[
        str | None,
        Field(description="Why unused pictures stay until the next clean-up; nothing is wrong."),
    ] = None

    @property
    def headline(self) -> str:
        """What was removed, in one line."""
        counts = self.model_dump(include=set(_NOUNS))
        parts = [counted(counts[name], noun) for name, noun in _NOUNS.items() if counts[name]]
        size = f" ({self.picture_bytes / 2**20:.1f} MB)" if self.pictures else ""
        verb = "would remove" if self.dry_run else "removed"
        done = f"{verb} {', '.join(parts)}{size}" if parts else f"{verb} nothing"
        return f"{done}{self._left}"

    @property
    def _left(self) -> str:
        left = f"; unused pictures stay: {self.problem}" if self.problem else ""
        left += f"; {self.note}" if self.note else ""
        if self.unremoved:
            found = counted(self.unremoved, "picture")
            named = _name_first(self.unremoved_pictures, self.unremoved)
            left += f"; {found} could not be removed ({named})"
        if self.strays:
            found = counted(self.strays, "entry")
            named = _name_first(self.stray_paths, self.strays)
            left += f"; left in the media store, by no name of its pictures: {found} ({named})"
        return left

    def note_unremoved(self, path: str, reason: str) -> None:
        """Count a picture that could not be removed."""
        self.unremoved += 1
        if len(self.unremoved_pictures) < _MOST_NAMED:
            self.unremoved_pictures.append(_readable(f"{path}: {reason}"))

    def note_strays(self, paths: Sequence[str]) -> None:
        """Count what was found among the pictures and is none."""
        self.strays += len(paths)
        room = _MOST_NAMED - len(self.stray_paths)
        self.stray_paths += [_readable(path) for path in sorted(paths)[:room]]


def check_retention(retention: Retention) -> Retention:
    """Raise InvalidQueryError, which names the field, for what would remove what is needed."""
    for field, days in retention:
        Range(LEAST_DAYS.get(field, 1), DAYS.most).check(field, days)
    return retention


async def clean_up(
    database: Database,
    media: MediaStore,
    retention: Retention,
    *,
    archive_bytes: int | None = None,
    dry_run: bool = False,
    take_over_store: bool = False,
    batch: int = BATCH,
    on_step: Callable[[CleanupSummary], None] = lambda _: None,
) -> CleanupSummary:
    """Remove what is older than it is kept; a second run removes nothing more.

    Args:
        database: whose rows are removed.
        media: whose pictures are removed.
        retention: how long what is kept.
        archive_bytes: that archived pictures may take; None: any number.
        dry_run: count, remove nothing. Advertisers and pictures that become free by what would be
            removed are not counted.
        take_over_store: remove pictures at once, even where they may be another database's, and
            enter this one as the owner of the store.
        batch: rows a step.
        on_step: called with the summary so far, after each step.

    Raises:
        InvalidQueryError: something would be kept too short.
        AdSparkError: the database or the media store does not work; a picture that cannot be
            removed is counted and named in the summary.
    """
    check_retention(retention)
    summary = CleanupSummary(dry_run=dry_run)
    async with database.session() as session:
        known = await read_known(session)  # before their rows go
    work = _Work(database, summary, batch, on_step)
    await work.do(CREATIVES, days=retention.days_old)
    await work.do(EVENTS, days=retention.days_old)
    await work.do(DETAILS, days=retention.fetches)
    await work.do(ADVERTISERS, days=0)
    await work.do(FETCHES, days=retention.fetches)
    await work.do(GENERATION_USES, days=retention.fetches)
    await work.do(REJECTED_ROWS, days=retention.rejected_rows)
    await work.do(MESSAGES, days=retention.messages)
    await work.do(PICTURE_VERSIONS, days=retention.picture_versions)
    await work.do(PICTURE_WORDS, days=retention.picture_versions)
    if archive_bytes is not None and dry_run:
        async with database.session() as session:
            summary.picture_versions += await count_over_bound(
                session, most_bytes=archive_bytes, days=retention.picture_versions
            )
    elif archive_bytes is not None:
        summary.picture_versions += await remove_over_bound(
            database, most_bytes=archive_bytes, batch=batch
        )
    claim = await claim_store(database, media, known, take_over=take_over_store, dry_run=dry_run)
    summary.problem, summary.note = claim.problem, claim.note
    if claim == Claim():
        await _remove_pictures(database, media, summary)
    return summary


@dataclass
class _Work:
    """Steps of one clean-up, and what they have come to."""

    database: Database
    summary: CleanupSummary
    batch: int
    on_step: Callable[[CleanupSummary], None]

    async def do(self, kind: Kind, *, days: int) -> None:
        """Remove one kind of rows, or count them."""
        if self.summary.dry_run:
            async with self.database.session() as session:
                await self._count(session, kind.count, {"days": days})
            return
        keys: Sequence[object] = [kind.first]
        while keys:
            values = {"after": keys[-1], "days": days, "batch": self.batch}
            async with self.database.transaction() as session:
                keys = (await session.scalars(kind.lock, values)).all()
                if keys and kind.lock_also is not None:
                    await session.execute(kind.lock_also, {"keys": keys})
                if keys:
                    await self._count(session, kind.remove, {"keys": keys, "days": days})
            self.on_step(self.summary)

    async def _count(
        self, session: AsyncSession, statement: TextClause, values: dict[str, object]
    ) -> None:
        """Add the counts that a statement returns."""
        for name, number in (await session.execute(statement, values)).mappings().one().items():
            setattr(self.summary, name, getattr(self.summary, name) + number)


async def _remove_pictures(database: Database, media: MediaStore, summary: CleanupSummary) -> None:
    """Remove the pictures that no row has, unless they are new or were reused."""
    await _remove_unused(database, media, summary, ("originals", "variants"), _USED)
    # A large archive is listed a part at a time, for there may be millions.
    async with database.session() as session:
        is_large = int(await session.scalar(_COUNT_ARCHIVED) or 0) > _MOST_LISTED
    for folder in ("pictures", "thumbnails") if is_large else ():
        summary.note_strays((await media.list_folder(folder, is_deep=False)).strays)
    for digits in [f"{number:02x}" for number in range(256)] if is_large else [""]:
        folders = (f"pictures/{digits}", f"thumbnails/{digits}")
        await _remove_unused(database, media, summary, folders, _ARCHIVED.bindparams(digits=digits))


async def _remove_unused(
    database: Database,
    media: MediaStore,
    summary: CleanupSummary,
    folders: tuple[str, ...],
    used_paths: TextClause,
) -> None:
    """Remove the pictures in these folders that are not among the paths, unless they are new."""
    # A picture is marked as fresh before a row refers to it, so one that is neither is unused.
    limit = datetime.now(UTC) - _UNUSED_FOR
    stored: dict[str, int] = {}
    for folder in folders:
        listing = await media.list_folder(folder)
        stored |= listing.pictures
        summary.note_strays(listing.strays)
    if not stored:
        return
    async with database.session() as session:
        used = set(await session.scalars(used_paths))
    for path in sorted(stored.keys() - used):
        if not await media.is_older(path, limit) or await _is_used(database, path):
            continue
        try:
            is_removed = summary.dry_run or await media.remove_older(path, limit)
        except StoreRefusedError as error:  # which may hold for this one alone
            summary.note_unremoved(path, error.reason)
            continue
        if is_removed:
            summary.pictures += 1
            summary.picture_bytes += stored[path]


def _name_first(names: Sequence[str], count: int) -> str:
    """The first of so many, which are named."""
    return ", ".join(names) + (", …" if count > len(names) else "")


def _readable(path: str) -> str:
    """A path as a terminal and JSON can have it, whatever letters or bytes it is made of."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in path
    )


async def _is_used(database: Database, path: str) -> bool:
    name = PurePosixPath(path).name.partition(".")[0]
    async with database.session() as session:
        return bool(await session.scalar(_IS_USED, {"at": path, "name": name}))
