"""Tables of pictures that wait for work: claim the newest, save what became of them.

A claim holds as long as nobody has claimed the picture after it: each claim counts an attempt, and
a write names the attempt that it belongs to. The one run that there may be knows what it works on.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

_PAUSE = timedelta(minutes=10)  # after the first attempt; four times as long after each further one


class ClaimedPicture(BaseModel):
    """A picture that this run works on; `key` is its row's."""

    key: int | str
    ad_creative_id: str
    attempts: int


Claimed = TypeVar("Claimed", bound=ClaimedPicture)


class PictureQueue(Generic[Claimed]):
    """A table of pictures, each of which is pending, done or failed.

    Args:
        kind: of the claims; has a field for each of `columns`.
        table: which is `q` in all that follows.
        key: its primary key, with its type.
        seen: the column by which the newest come first.
        condition: of what may be claimed, with values that the claim is given.
        columns: of a claim, beside key and attempts.
        joins: where they are found.
        done: what is assigned once the work is done, with the values that it gives.
        most_attempts: after which a picture is given up.
    """

    def __init__(
        self, kind: type[Claimed], *, table: str, key: tuple[str, str], seen: str, condition: str,
        columns: str, joins: str, done: str, most_attempts: int,
    ) -> None:  # fmt: skip
        self.most_attempts = most_attempts
        self._kind = kind
        name, key_type = key
        order = f"q.{seen} DESC, q.{name} DESC"
        change = f"""
            UPDATE {table} q SET {{}}
            WHERE {name} = :key AND attempts = :attempts AND status = 'pending'
        """  # noqa: S608  (put together from constants)
        self._claim = text(f"""
            WITH next AS (
                SELECT {name} AS key FROM {table} q
                WHERE status = 'pending' AND next_attempt_at <= now() AND attempts < :most
                    AND {name} <> ALL (CAST(:under_way AS {key_type}[])) AND {condition}
                ORDER BY {order} LIMIT :batch FOR UPDATE SKIP LOCKED
            ), claimed AS (
                UPDATE {table} q SET attempts = q.attempts + 1 FROM next WHERE q.{name} = next.key
                RETURNING q.*
            )
            SELECT q.{name} AS key, q.attempts, {columns} FROM claimed q {joins} ORDER BY {order}
        """)  # noqa: S608  (put together from constants)
        self._done = text(change.format(f"failure = NULL, {done}"))
        self._failure = text(
            change.format("""
            failure = :failure, next_attempt_at = now() + :pause,
            status = CASE WHEN attempts < :most THEN 'pending' ELSE 'failed' END
        """)
        )
        self._release = text(change.format("attempts = attempts - 1"))
        self._give_up = text(f"""
            UPDATE {table} SET status = 'failed', failure = coalesce(failure, :failure)
            WHERE status = 'pending' AND attempts >= :most
        """)  # noqa: S608  (put together from constants)
        self._retry = text(f"""
            UPDATE {table} SET status = 'pending', attempts = 0, next_attempt_at = now()
            WHERE status = 'failed' OR (status = 'pending' AND failure IS NOT NULL)
        """)  # noqa: S608  (put together from constants)
        self._waiting = text(f"SELECT count(*) FROM {table} WHERE status = 'pending'")  # noqa: S608

    async def give_up_deadly(self, session: AsyncSession) -> None:
        """Give up what has killed its run too often.

        Only for the one run that there may be, before it claims. Does not commit.
        """
        died = "The run that worked on it died each time."
        await session.execute(self._give_up, {"most": self.most_attempts, "failure": died})

    async def retry_failed(self, session: AsyncSession) -> None:
        """Let all that failed be tried at once, given up or to be tried later; does not commit.

        Only for the one run that there may be, before it claims.
        """
        await session.execute(self._retry)

    async def claim(
        self,
        session: AsyncSession,
        *,
        most: int,
        under_way: Collection[int | str] = (),
        **conditions: object,
    ) -> list[Claimed]:
        """The newest pictures that are due, claimed for this run; does not commit.

        Args:
            most: how many.
            under_way: keys of those that this run has claimed and not ended.
            conditions: values of the queue's own condition.
        """
        values = {"most": self.most_attempts, "batch": most, "under_way": list(under_way)}
        rows = await session.execute(self._claim, {**values, **conditions})
        return [self._kind.model_validate(row) for row in rows.mappings()]

    async def save_done(
        self, session: AsyncSession, *, claimed: Claimed, values: Mapping[str, object]
    ) -> bool:
        """Note that the work is done; whether the claim still held. Does not commit.

        Args:
            claimed: the work, as `claim` gave it.
            values: columns of its table, and what they get.
        """
        return await _change(session, self._done, claimed, values)

    async def save_failure(
        self, session: AsyncSession, *, claimed: Claimed, failure: str, most_attempts: int
    ) -> bool:
        """Note why an attempt failed; the next one is later each time. Does not commit.

        Args:
            claimed: the picture.
            failure: the cause, for a person.
            most_attempts: after how many it is given up.

        Returns:
            Whether the claim still held.
        """
        pause = _PAUSE * 4 ** (claimed.attempts - 1)
        values = {"failure": failure, "most": most_attempts, "pause": pause}
        return await _change(session, self._failure, claimed, values)

    async def release(self, session: AsyncSession, *, claimed: Claimed) -> bool:
        """Give a claim up as if it had never been; whether it still held. Does not commit."""
        return await _change(session, self._release, claimed, {})

    async def count_waiting(self, session: AsyncSession) -> int:
        """Pictures that are not done yet, those that failed for now among them."""
        return int(await session.scalar(self._waiting) or 0)


async def _change(
    session: AsyncSession,
    statement: TextClause,
    claimed: ClaimedPicture,
    values: Mapping[str, object],
) -> bool:
    fence = {"key": claimed.key, "attempts": claimed.attempts}
    changed = await session.execute(statement, {**values, **fence})
    return bool(changed.rowcount)  # type: ignore[attr-defined]
